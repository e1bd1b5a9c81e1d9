"""Databases by SQLAlchemy URL: opened, tuned, and brought to the current schema.

Everything that is special to SQLite or PostgreSQL stands here; the stores are written once.
"""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, Dialect, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import TypeDecorator

from conversation.errors import StoreError, StoreUnavailableError

IDS_PER_QUERY = 500
"""SQLite binds at most 999 variables in its oldest supported builds."""
BUSY_TIMEOUT_MS = 60_000
"""How long a writer waits for others; a turn is written in a few milliseconds."""
MIGRATION_LOCK_TIMEOUT_S = 120.0
_POSTGRESQL_LOCK_ID = 7_242_861_017
"""Any constant: processes that migrate one database take the same advisory lock."""
_SQLITE_OUT_OF_REACH = frozenset({5, 6, 8, 10, 13, 14})
"""Busy, locked, read-only, an error of the disk, a full disk, not to be opened."""
_SQLITE_DAMAGED = frozenset({11, 26})
"""Malformed, no database at all."""
_SQLSTATES_OUT_OF_REACH = ("08", "53", "57P")
"""Of PostgreSQL: connection, resources such as the disk, an operator who stops it."""
READ_ONLY: dict[str, Any] = {"vivavoce_read_only": True}
"""Execution options of a connection that will not write, so that it never waits for a writer."""


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ids in as many as one query can name."""
    for start in range(0, len(ids), IDS_PER_QUERY):
        yield ids[start : start + IDS_PER_QUERY]


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time, always UTC: SQLite forgets time zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any aware time into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that what was read is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables of one package and the Alembic history that makes them."""

    metadata: MetaData
    migrations_package: str
    """Package that holds a folder `migrations`, e.g. `conversation`."""
    version_table: str
    """Own name, so that several histories live in one database."""
    head: str
    """Revision that `metadata` stands for: a database that has it needs no look at Alembic."""


def open_database(url: str, schema: Schema) -> Engine:
    """Open the database at `url` and bring it to `schema`.

    Args:
        url: SQLAlchemy URL; a SQLite file and its folder are created when absent.
        schema: What the database must hold afterwards.

    Raises:
        StoreError: The URL cannot be used, or the database is newer than this program.
    """
    parsed = _parse_url(url)
    engine = _create_engine(parsed)
    try:
        if _revision(engine, schema) != schema.head:
            with _migration_lock(engine):
                migrate(engine, schema)
    except DatabaseError as error:
        engine.dispose()
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_DAMAGED:
            raise _damaged(str(parsed.database), error) from error
        kind = StoreUnavailableError if isinstance(error, OperationalError) else StoreError
        raise kind(
            f"The database {parsed.render_as_string()!r} cannot be opened: {_first_line(error)}. "
            "Check the path, whether it may be written and has room, or the server, and "
            "VIVAVOCE_STORE_URL."
        ) from error
    except BaseException:
        engine.dispose()
        raise
    event.listen(engine, "handle_error", _tell_unavailable)
    return engine


def _tell_unavailable(context: ExceptionContext) -> None:
    """Say what is wrong with the database in one sentence, where not the statement is to blame."""
    error = context.original_exception
    if context.is_pre_ping or context.engine is None:
        return
    if context.dialect.name == "sqlite":
        is_meant = getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_OUT_OF_REACH
    else:
        state = str(getattr(error, "sqlstate", None) or "")
        is_meant = (
            context.is_disconnect
            or context.connection is None
            or state.startswith(_SQLSTATES_OUT_OF_REACH)
        )
    if is_meant:
        raise StoreUnavailableError(
            f"The store {context.engine.url.render_as_string()!r} does not answer as it should: "
            f"{_first_line(error)}. Check the server, free space and permissions, then try "
            "again; what was acknowledged before is kept."
        )


def _damaged(path: str, error: BaseException) -> StoreError:
    return StoreError(
        f"The store '{path}' is damaged: {_first_line(error)}. Stop what uses it and put a backup "
        f"in its place; without one, `sqlite3 '{path}' .recover | sqlite3 NEW` writes what can "
        "still be read into a file NEW."
    )


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "orig", None) or error).splitlines()
    return said[0].rstrip(".") if said else type(error).__name__


def migrate(engine: Engine, schema: Schema, *, revision: str = "head") -> None:
    """Run the migrations of `schema` up or down to `revision`.

    Raises:
        StoreError: The database was written by a newer version of this program.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    with as_file(files(schema.migrations_package) / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.set_main_option("recursive_version_locations", "true")
        config.attributes["schema"] = schema
        with _changing_schema(engine) as connection:
            config.attributes["connection"] = connection
            try:
                if revision == "head" or not _is_older(connection, schema, revision):
                    command.upgrade(config, revision)
                else:
                    command.downgrade(config, revision)
            except CommandError as error:
                raise StoreError(
                    f"The database {engine.url.render_as_string()!r} cannot be brought to revision "
                    f"{revision!r}: {error}. It was probably written by a newer version: install "
                    "that version, or set VIVAVOCE_STORE_URL to another database."
                ) from error


@contextmanager
def _changing_schema(engine: Engine) -> Generator[Connection]:
    """A transaction in which SQLite lets a table be rebuilt that others refer to.

    References are not looked at until the end, and then all of them are
    (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise StoreError(
                        f"A migration would leave {len(broken)} rows of {broken[0][0]!r} without "
                        "what they refer to. Nothing was changed; restore a backup, or report it."
                    )
        finally:
            raw.execute("PRAGMA foreign_keys = ON")


def run_migrations(schema: Schema, connection: Connection) -> None:
    """What `migrations/env.py` of every package does."""
    from alembic import context

    context.configure(
        connection=connection,
        target_metadata=schema.metadata,
        version_table=schema.version_table,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _is_older(connection: Connection, schema: Schema, revision: str) -> bool:
    """Whether `revision` comes before the database's; revisions are numbered."""
    current = _revision_of(connection, schema)
    return current is not None and (revision == "base" or revision < current)


def _parse_url(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"{url!r} is not a database URL. Use `sqlite:///folder/file.sqlite` or "
            "`postgresql+psycopg://user:password@host/name`."
        ) from error


def _create_engine(url: URL) -> Engine:
    # Parameters are what was said: no error may repeat them.
    in_memory = url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")
    try:
        if in_memory:
            engine = create_engine(
                url,
                poolclass=StaticPool,
                connect_args={"check_same_thread": False},
                hide_parameters=True,
                json_deserializer=read_json,
            )
        elif url.get_backend_name() == "sqlite":
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                url,
                connect_args={"timeout": BUSY_TIMEOUT_MS / 1_000},
                hide_parameters=True,
                json_deserializer=read_json,
            )
        else:
            engine = create_engine(
                url, pool_pre_ping=True, hide_parameters=True, json_deserializer=read_json
            )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"No driver for the database URL {url.render_as_string()!r}: {error}. Install one, "
            "for PostgreSQL `pip install 'psycopg[binary]'` with `postgresql+psycopg://...`."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder of the database {url.database!r} cannot be made: {error.strerror}. "
            "Change the permissions of its place, or set VIVAVOCE_STORE_DIR to another."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def read_json(text: str | bytes) -> Any:
    """What `json.loads` reads, in a third of its time: most cells are `[]` or `null`."""
    if text == "[]":
        return []
    if text == "null":
        return None
    if isinstance(text, str):
        with suppress(json.JSONDecodeError):  # `loads` skips blanks, or tells what is wrong
            value, end = _DECODER.raw_decode(text)
            if end == len(text):
                return value
    return json.loads(text)


_DECODER = json.JSONDecoder()


def _tune_sqlite(connection: Any, _record: object) -> None:
    """Readers beside one writer, writers that wait, and transactions begun by us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # In WAL mode a killed process loses nothing with NORMAL; only a power cut may take the last
    # transactions. FULL would pay one disk flush per turn.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
    connection.create_function("vivavoce_says", 2, _says, deterministic=True)


def in_lower_case(words: str) -> str:
    """Words as SQLite compares them in whatever case: its own `lower` knows A to Z.

    Not `casefold`, which gives some letters a longer form that no index knows them by.
    """
    return words.lower().replace("\u03c2", "\u03c3")  # a sigma at the end of a word is a sigma


def _says(heard: str | None, wanted: str) -> bool:
    return heard is not None and wanted in in_lower_case(heard)


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a reader that turns writer late cannot wait, only fail."""
    read_only = connection.get_execution_options().get("vivavoce_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _revision(engine: Engine, schema: Schema) -> str | None:
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return _revision_of(connection, schema)


def _revision_of(connection: Connection, schema: Schema) -> str | None:
    if not re.fullmatch(r"[a-z_]+", schema.version_table):
        raise ValueError(f"not a table name: {schema.version_table!r}")
    if not inspect(connection).has_table(schema.version_table):
        return None
    found = connection.execute(text(f"select version_num from {schema.version_table}")).scalar()
    return None if found is None else str(found)


@contextmanager
def _migration_lock(engine: Engine) -> Generator[None]:
    """One process at a time changes a schema; the others then find nothing left to do."""
    database = engine.url.database
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text(f"select pg_advisory_lock({_POSTGRESQL_LOCK_ID})"))
            try:
                yield
            finally:
                connection.execute(text(f"select pg_advisory_unlock({_POSTGRESQL_LOCK_ID})"))
    elif engine.dialect.name == "sqlite" and database not in (None, "", ":memory:"):
        from filelock import FileLock, Timeout

        try:
            with FileLock(f"{database}.lock", timeout=MIGRATION_LOCK_TIMEOUT_S):
                _switch_to_wal(engine)
                yield
        except Timeout as error:
            raise StoreError(
                f"Another process has held the lock {database}.lock for "
                f"{MIGRATION_LOCK_TIMEOUT_S:.0f} s. Wait for it, or end it."
            ) from error
    else:
        yield


def _switch_to_wal(engine: Engine) -> None:
    """The mode is kept in the file, so it is set once, while nobody else opens it."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()
    finally:
        raw.close()
