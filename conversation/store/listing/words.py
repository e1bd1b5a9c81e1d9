"""Which conversations say some words, found by an index and looked at in the turns themselves.

An index knows which turns have which three characters in a row (migration 0014). It answers for
words that are rare; those that are not are found soon by walking down the list, which ends after
so many conversations as `WALKED`, and says so.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Engine,
    Select,
    String,
    column,
    func,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from conversation.store.database import in_lower_case
from conversation.store.listing.word_index import is_usable
from conversation.store.tables import conversations, turns

MOST_TURNS = 2_000
"""So many turns are looked at for words that the index finds; more of them are met on a walk."""
WALKED = 10_000
"""So many conversations a walk looks at for one page."""
_GRAM = 3
_MOST_GRAMS = 32
"""So many pieces of the words are looked up; what is longer is told apart by the turns."""
_MOST_BEGINNINGS = 300
"""So many pieces may begin with words of one or two characters before the walk is taken."""
_INDEX_ROWS = table("turn_search_rows", column("search_id"), column("turn_id", String))
_INDEX = table("turn_search", column("rowid"), column("turn_search", String))
_TERMS = table("turn_search_terms", column("term", String))


@dataclass(frozen=True, slots=True)
class Said:
    """How conversations that say some words are found."""

    condition: ColumnElement[bool]
    """What their rows meet."""
    is_walk: bool
    """Whether each conversation has to be looked at."""


def said_anywhere(connection: Connection, words: str) -> Said:
    """How conversations that have a turn with `words` in it, in whatever case, are found here."""
    if connection.dialect.name == "sqlite":
        return _on_sqlite(connection, words)
    return _on_postgresql(connection, words)


def turns_that_may_say(connection: Connection, words: str) -> ColumnElement[bool] | None:
    """What turns meet that may say `words`, by the index; None where it cannot tell them."""
    if connection.dialect.name == "sqlite":
        found = _indexed(connection, words)
        return None if found is None else turns.c.turn_id.in_(found)
    return turns.c.heard_text.icontains(words, autoescape=True)


def tidy_index(connection: Connection) -> None:
    """Take out of the index what of deleted turns it still holds, crossed out."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO turn_search (turn_search) VALUES ('optimize')"))


def is_damaged_index(error: DatabaseError) -> bool:
    """Whether SQLite says that the index of words is broken, and nothing else."""
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT_VTAB


def make_index_anew(engine: Engine) -> None:
    """Fill the index of words from the turns."""
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO turn_search (turn_search) VALUES ('delete-all')",
            "DELETE FROM turn_search_rows",
            "INSERT INTO turn_search_rows (turn_id) SELECT turn_id FROM turns",
            "INSERT INTO turn_search (rowid, heard_text) SELECT search_id, heard_text || "
            "char(3, 3) FROM turn_search_rows JOIN turns USING (turn_id)",
        ):
            connection.execute(text(statement))


def _on_sqlite(connection: Connection, words: str) -> Said:
    it_says = func.vivavoce_says(turns.c.heard_text, in_lower_case(words)) == 1
    found = _indexed(connection, words)
    if found is None or _are_many(connection, found):
        return _walk(it_says)
    said = select(turns.c.conversation_id).where(turns.c.turn_id.in_(found), it_says)
    return Said(conversations.c.conversation_id.in_(said), is_walk=False)


def _indexed(connection: Connection, words: str) -> Select[Any] | None:
    wanted = _wanted(connection, words)
    if wanted is None:
        return None
    rows = select(_INDEX.c.rowid).where(_INDEX.c.turn_search.op("MATCH")(wanted))
    return select(_INDEX_ROWS.c.turn_id).where(_INDEX_ROWS.c.search_id.in_(rows))


def _wanted(connection: Connection, words: str) -> str | None:
    """What FTS5 is asked for: all pieces of the words, in any of their spellings."""
    spellings = list(dict.fromkeys((words, words.lower(), in_lower_case(words), words.upper())))
    if len(words) >= _GRAM:
        return " OR ".join(
            "(" + " AND ".join(map(_quoted, _grams(each))) + ")"
            for each in spellings
            if len(each) >= _GRAM
        )
    # Short words of Latin letters stand everywhere. 東京 does not.
    if words.isascii():
        return None
    found: list[str] = []
    for each in dict.fromkeys((words.lower(), in_lower_case(words))):
        found += connection.execute(
            select(_TERMS.c.term)
            .where(_TERMS.c.term >= each, _TERMS.c.term < f"{each}\U0010ffff")
            .limit(_MOST_BEGINNINGS + 1)
        ).scalars()
    if len(found) > _MOST_BEGINNINGS:
        return None
    # FTS5 takes no empty question; no turn has this.
    return " OR ".join(map(_quoted, dict.fromkeys(found))) or _quoted("\x03" * _GRAM)


def _grams(words: str) -> list[str]:
    places = [*range(0, len(words) - _GRAM + 1, _GRAM), len(words) - _GRAM]
    grams = list(dict.fromkeys(words[place : place + _GRAM] for place in places))
    return grams[:_MOST_GRAMS]


def _quoted(gram: str) -> str:
    return '"' + gram.replace('"', '""') + '"'


def _on_postgresql(connection: Connection, words: str) -> Said:
    it_says = turns.c.heard_text.icontains(words, autoescape=True)
    found = select(turns.c.conversation_id).where(it_says)
    if len(words) < _GRAM or not is_usable(connection) or _are_many(connection, found):
        return _walk(it_says)
    return Said(conversations.c.conversation_id.in_(found), is_walk=False)


def _are_many(connection: Connection, found: Select[Any]) -> bool:
    some = found.limit(MOST_TURNS + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() > MOST_TURNS


def _walk(it_says: ColumnElement[bool]) -> Said:
    said = (
        select(literal(1))
        .where(turns.c.conversation_id == conversations.c.conversation_id)
        .where(it_says)
    )
    return Said(said.exists(), is_walk=True)
