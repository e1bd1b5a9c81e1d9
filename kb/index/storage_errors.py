"""A full disk or a folder that may not be written: told in a sentence, whatever met it."""

import errno
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import KnowledgeBaseError, StorageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_FULL_SIGNS = ("disk is full", "no space left", "disk quota exceeded")
_TORN = frozenset({sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
_REFUSED_SIGNS = ("readonly database", "read-only file system", "unable to open database file")


@contextmanager
def telling_storage_errors(directory: Path) -> Generator[None]:
    """Turn what the system and the libraries say of a store that takes nothing into one error.

    Raises:
        StorageError: The disk is full, or the folder may not be written.
    """
    try:
        yield
    except KnowledgeBaseError:
        raise
    except Exception as error:
        why = next(filter(None, map(_fault, _causes(error))), None)
        if why is None:
            raise
        raise StorageError(
            f"The knowledge base in {str(directory)!r} could not be changed: {why} What it held "
            "can still be searched, and the next ingest goes on where this one stopped."
        ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _fault(error: BaseException) -> str | None:
    if not isinstance(error, OSError | sqlite3.Error) and not _is_of_chroma(error):
        return None
    number, said = getattr(error, "errno", None), str(error).lower()
    if number in _FULL or any(sign in said for sign in _FULL_SIGNS):
        return "its disk is full. Make room and try again."
    if number == errno.EFBIG:
        return (
            "a file of it may not grow further. Raise the limit of the process or the file system "
            "(`ulimit -f`), or put it on another disk, and try again."
        )
    if _io_failed(error):
        return (
            f"its disk takes nothing ({error}). Make room, look at the limits of the process "
            "(`ulimit -f`) and at the disk itself, and try again."
        )
    if number in _REFUSED or any(sign in said for sign in _REFUSED_SIGNS):
        return "it may not be written. Mount it for writing, or change its permissions."
    return None


def _io_failed(error: BaseException) -> bool:
    """Whether SQLite could not read or write, and not for what stands in the file."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    failed = code & 0xFF == sqlite3.SQLITE_IOERR or "disk i/o error" in str(error).lower()
    return failed and code not in _TORN


def _is_of_chroma(error: BaseException) -> bool:
    """Its errors have no class in common that could be had without loading all of it."""
    return type(error).__module__.partition(".")[0] == "chromadb"
