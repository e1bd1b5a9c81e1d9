"""Deleted words out of the index of words, the file of the database, and its log."""

import sqlite3

import sqlalchemy as sa

from conversation.errors import StoreUnavailableError
from conversation.store.listing.words import tidy_index


def compact(engine: sa.Engine) -> str | None:
    """Give freed space back, so that no deleted word stays in the file or its log.

    Returns:
        What could not be done; None when it was.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
        return None
    try:
        with engine.begin() as connection:
            tidy_index(connection)
    except StoreUnavailableError as error:
        return f"the index of words was not compacted ({error})"
    # Of the pool, but without the transaction that SQLAlchemy would begin on it.
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        cursor.close()
    except sqlite3.OperationalError as error:
        return f"the database file was not compacted ({error})"
    finally:
        raw.close()
    if busy:
        return "the log of the database still holds deleted rows, because another process reads it"
    return None
