"""The index of words on PostgreSQL: whether it can be used, and made where it cannot.

Migration 0014 makes it where `pg_trgm` may be installed. Where that became possible later, or where
making it was broken off (PostgreSQL keeps such an index, invalid), it is made here, beside writers.
"""

from typing import Literal

from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from conversation.errors import StoreError
from conversation.store.database import READ_ONLY

IndexState = Literal["usable", "missing", "invalid", "not allowed", "not there"]
"""`usable`: it answers. `missing`, `invalid`: `mend_word_index` makes it. `not allowed`: `pg_trgm`
is not installed in this database and this role may not do so. `not there`: nor on that server."""

INSTALL = "CREATE EXTENSION pg_trgm"
_NAME = "turns_by_words"
_LOCK_ID = 7_242_861_018
"""Any constant: processes that make the index take the same advisory lock."""
_LONGEST_WAIT_S = 600
"""So long it waits for transactions that are open: one that is forgotten stays open for days."""
_IS_VALID = f"(select indisvalid from pg_index where indexrelid = to_regclass('{_NAME}'))"
_LOOK = text(
    f"select {_IS_VALID}, "
    "exists (select from pg_extension where extname = 'pg_trgm'), "
    "exists (select from pg_available_extensions where name = 'pg_trgm'), "
    "exists (select from pg_available_extension_versions where name = 'pg_trgm' and trusted) "
    "and has_database_privilege(current_database(), 'CREATE') "
    "or exists (select from pg_roles where rolname = current_user and rolsuper)"
)
_USABLE = text(f"select coalesce({_IS_VALID}, false)")


def is_usable(connection: Connection) -> bool:
    """Whether PostgreSQL finds words by the index: one whose making failed is none."""
    return bool(connection.execute(_USABLE).scalar())


def word_index_state(engine: Engine) -> IndexState:
    """How the index of words is; SQLite's comes with the store, so it is always usable."""
    if engine.dialect.name == "sqlite":
        return "usable"
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return _state(connection)


def mend_word_index(engine: Engine) -> str | None:
    """Make the index of words where there is none that can be used; conversations go on meanwhile.

    Where `pg_trgm` is not installed and this role may not do so, nothing is done.

    Returns:
        What could not be done; None when it was, or when there is nothing to do.
    """
    if word_index_state(engine) not in ("missing", "invalid"):
        return None
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return _made(connection)
    except StoreError as error:
        return f"the index of words was not made ({error})"
    except DatabaseError as error:
        return f"the index of words was not made ({str(error.orig).splitlines()[0]})"


def _state(connection: Connection) -> IndexState:
    is_valid, is_installed, is_available, may_install = connection.execute(_LOOK).one()
    if is_valid is not None:
        return "usable" if is_valid else "invalid"
    if is_installed or (is_available and may_install):
        return "missing"
    return "not allowed" if is_available else "not there"


def _made(connection: Connection) -> str | None:
    def run(statement: str) -> None:
        connection.exec_driver_sql(statement)

    lock = text("select pg_try_advisory_lock(:id)").bindparams(id=_LOCK_ID)
    if not connection.execute(lock).scalar():
        # While another process makes it, it is there and not valid.
        return None
    try:
        if _state(connection) == "usable":
            return None
        run(f"SET lock_timeout = '{_LONGEST_WAIT_S}s'")
        run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        run(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
        run(f"CREATE INDEX CONCURRENTLY {_NAME} ON turns USING gin (heard_text gin_trgm_ops)")
        return None
    finally:
        # The session goes back to the pool.
        connection.invalidate()
