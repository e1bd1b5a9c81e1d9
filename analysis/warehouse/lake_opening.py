"""Opening a DuckLake: its extensions from their wheels, its catalog, its Parquet files."""

import hashlib
import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb
from filelock import FileLock

from analysis.dictionary.schema import literal
from analysis.errors import LakeError
from analysis.warehouse.parquet import QUIET

NAME = "lake"
"""Name of the attached catalog."""
PREFIX = "ducklake:"
_PASSWORD = re.compile(r"(password=)('[^']*'|[^\s\"']+)", re.IGNORECASE)
_EXTENSIONS = {"ducklake": "ducklake", "postgres": "postgres_scanner", "sqlite": "sqlite_scanner"}


@dataclass(frozen=True, slots=True)
class Lake:
    """Where a lake is."""

    url: str
    """`ducklake:postgres:CONNECTION` or `ducklake:sqlite:FILE`: the catalog."""
    data_path: str
    """Folder or object-storage address of its Parquet files."""


def open_lake(
    lake: Lake, *, read_only: bool = False, memory_limit: str = "2GB"
) -> duckdb.DuckDBPyConnection:
    """Return a connection whose tables are those of the lake.

    Args:
        lake: Where it is; created when absent, unless `read_only`.
        read_only: Whether nothing can be written, and no other file or address be reached by SQL.
        memory_limit: What one query may use, as DuckDB writes it.

    Raises:
        LakeError: The extensions are not installed, or the catalog cannot be reached.
    """
    _extensions(lake.url)
    if read_only:
        return _opened(lake, "READ_ONLY", memory_limit)
    # Two processes that find no catalog would both make one, and one of them would fail.
    with part_lock(lake, "catalog"):
        return _opened(lake, "READ_WRITE", memory_limit)


def _opened(lake: Lake, mode: str, memory_limit: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=QUIET)
    try:
        for extension in _extensions(lake.url):
            _load(connection, extension)
        # Small changes would be kept inside the catalog, where a deleted word stays readable.
        options = f"DATA_PATH {literal(lake.data_path)}, DATA_INLINING_ROW_LIMIT 0, {mode}"
        connection.execute(f"ATTACH {literal(lake.url)} AS {NAME} ({options})")
        connection.execute(f"USE {NAME}")
        connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        connection.execute("SET enable_progress_bar = false")
        if mode == "READ_ONLY":
            connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        raise _unreachable(lake, error) from None
    return connection


def masked(text: str) -> str:
    """An URL, or what an engine says of it, without the password of the catalog."""
    return _PASSWORD.sub(r"\1****", text)


def sqlite_catalog(lake: Lake) -> Path | None:
    """The file of a catalog in SQLite; None for another one."""
    prefix = f"{PREFIX}sqlite:"
    return Path(lake.url.removeprefix(prefix)) if lake.url.startswith(prefix) else None


@contextmanager
def part_lock(lake: Lake, part: str) -> Generator[None]:
    """Hold a part of the lake, e.g. a day, alone among all processes and machines."""
    catalog = sqlite_catalog(lake)
    if catalog is not None:
        with FileLock(f"{catalog}.{part}.lock"):
            yield
        return
    import psycopg

    key = int.from_bytes(hashlib.sha256(f"vivavoce lake {part}".encode()).digest()[:8], signed=True)
    try:
        holder = psycopg.connect(_conninfo(lake), autocommit=True)
    except psycopg.Error as error:
        raise _unreachable(lake, error) from None
    with holder:
        # Given back when the connection ends, also with its process.
        holder.execute("SELECT pg_advisory_lock(%s)", [key])
        yield


def forget_statistics(lake: Lake) -> None:
    """Delete what the catalog remembers of values that are gone: the extremes of each column."""
    forget = "UPDATE ducklake_table_column_stats SET min_value = NULL, max_value = NULL"
    catalog = sqlite_catalog(lake)
    if catalog is None:
        import psycopg

        with psycopg.connect(_conninfo(lake)) as connection:
            connection.execute(forget)
        with psycopg.connect(_conninfo(lake), autocommit=True) as connection:
            connection.execute("VACUUM FULL ducklake_table_column_stats")
        return
    with closing(sqlite3.connect(catalog)) as opened:
        opened.execute(forget)
        opened.commit()
        # Rows that were deleted from it stay readable in its free pages.
        opened.execute("VACUUM")


def _unreachable(lake: Lake, error: Exception) -> LakeError:
    """Raise it from None: the message of its cause may hold the password."""
    return LakeError(
        f"The lake at {masked(lake.url)!r} cannot be opened: {masked(str(error))} Check that its "
        "catalog answers, and VIVAVOCE_WAREHOUSE_URL and VIVAVOCE_WAREHOUSE_DATA."
    )


def _conninfo(lake: Lake) -> str:
    return lake.url.removeprefix(f"{PREFIX}postgres:")


def _extensions(url: str) -> list[str]:
    catalog = url.removeprefix(PREFIX).partition(":")[0]
    if not url.startswith(PREFIX) or catalog not in ("postgres", "sqlite"):
        raise LakeError(
            f"{masked(url)!r} is no lake. Write `ducklake:postgres:dbname=NAME host=HOST` or "
            "`ducklake:sqlite:FILE` into VIVAVOCE_WAREHOUSE_URL."
        )
    return ["ducklake", catalog]


def _load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its wheel; DuckDB's own installer would fetch it."""
    name = _EXTENSIONS[extension]
    package = find_spec(f"duckdb_extension_{name}")
    if package is None or not package.submodule_search_locations:
        raise LakeError(
            f"The DuckDB extension {name!r} is not installed. Install `vivavoce[scale]`, or unset "
            "VIVAVOCE_WAREHOUSE_URL to publish a DuckDB file."
        )
    folder = Path(next(iter(package.submodule_search_locations)))
    files = sorted(folder.rglob(f"v{duckdb.__version__}/*.duckdb_extension"))
    if not files:
        raise LakeError(
            f"The installed extension {name!r} is not the one of DuckDB {duckdb.__version__}. "
            f"Install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}."
        )
    connection.execute(f"LOAD {literal(str(files[0]))}")
