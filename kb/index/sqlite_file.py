"""SQLite files of a knowledge base: opened to write where that is possible, else only to read."""

import os
import sqlite3
from pathlib import Path

_BUSY_TIMEOUT_S = 30.0


def is_writable(path: Path) -> bool:
    """Whether files may be made in the folder `path`, and the file `path` may be changed."""
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))


def connect_sqlite(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open a file whose journal is a WAL; without `read_only` it is created when absent.

    Reading a WAL needs a file beside it, which nobody can make in a folder that is mounted read
    only. Nobody writes there either, so the file is then read as one that never changes.
    """
    connection = _connect(path, "mode=ro" if read_only else "mode=rwc")
    if not read_only:
        connection.execute("pragma journal_mode = wal")
        return connection
    try:
        connection.execute("pragma user_version").fetchone()
    except sqlite3.OperationalError:
        if is_writable(path.parent):
            raise
        connection.close()
        return _connect(path, "mode=ro&immutable=1")
    return connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?{options}",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
