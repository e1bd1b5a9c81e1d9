"""The terms of chunks and names in the catalog, and the lexical index over them.

Terms are kept beside what they were made of: the index is searched and changed with the very terms
that it was filled with, whichever release made them.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping

from kb.formats.language import guess_language
from kb.words.indexing import chunk_terms, terms
from kb.words.languages import DEFAULT, primary, recognised, told_by_letters
from kb.words.spelling import respelled, runs

_NEIGHBOURS = 200
_SAMPLE_CHARS = 4_000
_MAX_SEGMENTS = 6
_PAGES_AT_ONCE = 500
"""Some 30 ms of work."""
_NOTHING_DONE = 2
"""Changes that a merge makes at least where there was something to merge."""


def language_of(connection: sqlite3.Connection, stated: str | None, bodies: Iterable[str]) -> str:
    """The language of a document: as stated, else recognised, else that of the ones before it.

    By its function words first, by its letters where it has too few of them.
    """
    if stated and (known := primary(stated)):
        return known
    sample = ""
    for body in bodies:
        sample += f"{body}\n"
        if len(sample) > _SAMPLE_CHARS:
            break
    rows = connection.execute(
        "select language from chunk_words order by row_id desc limit ?", (_NEIGHBOURS,)
    )
    around = Counter(str(row[0]) for row in rows).most_common(1)
    likely = around[0][0] if around else DEFAULT
    sample = respelled(sample)
    return recognised(sample, likely=likely) or told_by_letters(sample) or likely


def index_languages(connection: sqlite3.Connection) -> dict[str, int]:
    """Number of chunks in the index by language, the commonest first."""
    rows = connection.execute(
        "select w.language, count(*) from chunk_words w join chunks c using (row_id) "
        "where c.live group by 1 order by 2 desc, 1"
    )
    return {str(language): int(count) for language, count in rows}


def store_words(
    connection: sqlite3.Connection, chunk_id: str, *, name_id: int | None, language: str
) -> None:
    """Make the terms of a stored chunk, and of its name, unless they are there."""
    row = connection.execute(
        "select row_id, headings, body from chunks c where chunk_id = ? "
        "and not exists (select 1 from chunk_words w where w.row_id = c.row_id)",
        (chunk_id,),
    ).fetchone()
    if row is not None:
        row_id, headings, body = int(row[0]), str(row[1]), str(row[2])
        spoken = guess_language(body) or language
        made = chunk_terms(headings, body, language=spoken)
        connection.execute(
            "insert into chunk_words values (?, ?, ?, ?, ?, ?)",
            (row_id, spoken, made.headings, made.body, made.extra, made.own_headings),
        )
        _store_known(connection, made.known)
    if name_id is not None:
        _store_name(connection, name_id, language)


def show_words(connection: sqlite3.Connection, chunk_id: str) -> None:
    """Put a stored chunk into the lexical index."""
    connection.execute(
        "insert into chunk_search (rowid, headings, body, extra) "
        "select row_id, w.headings, w.body, w.extra from chunk_words w "
        "join chunks using (row_id) where chunk_id = ?",
        (chunk_id,),
    )


def hide_words(connection: sqlite3.Connection, chunk_id: str) -> None:
    """Take a chunk out of the lexical index."""
    connection.execute(
        "insert into chunk_search (chunk_search, rowid, headings, body, extra) "
        "select 'delete', row_id, w.headings, w.body, w.extra from chunk_words w "
        "join chunks using (row_id) where chunk_id = ?",
        (chunk_id,),
    )


def join_segments(connection: sqlite3.Connection) -> None:
    """Make few segments of the lexical index, in each of which every term is looked up.

    In short transactions, so that nobody else who writes waits long.
    """
    for table in ("chunk_search", "name_search"):
        segments = connection.execute(f"select count(distinct segid) from {table}_idx").fetchone()
        if int(segments[0]) <= _MAX_SEGMENTS:
            continue
        merge = f"insert into {table} ({table}, rank) values ('merge', ?)"
        # A negative number takes all segments, the others go on with what is begun.
        pages, before = -_PAGES_AT_ONCE, connection.total_changes
        while True:
            connection.execute(merge, (pages,))
            done, before = connection.total_changes - before, connection.total_changes
            if done < _NOTHING_DONE:
                break
            pages = _PAGES_AT_ONCE


def erase_words(connection: sqlite3.Connection, document_id: str) -> None:
    """Erase a document's chunks, none of which is in the lexical index, with terms and names."""
    rows = connection.execute(
        "select w.headings, w.body from chunk_words w join chunks using (row_id) "
        "where document_id = ?",
        (document_id,),
    )
    held = {term for row in rows for text in row for term in str(text).split()}
    connection.execute(
        "delete from chunk_words where row_id in (select row_id from chunks where document_id = ?)",
        (document_id,),
    )
    connection.execute("delete from chunks where document_id = ?", (document_id,))
    connection.executemany(
        "delete from known_words where term = ? "
        "and not exists (select 1 from chunk_terms where chunk_terms.term = ?)",
        [(term, term) for term in held],
    )
    unused = "not exists (select 1 from chunks c where c.name_id = n.name_id)"
    connection.execute(
        "insert into name_search (name_search, rowid, terms) "
        f"select 'delete', name_id, terms from name_words n where {unused}"
    )
    connection.execute(f"delete from name_words as n where {unused}")
    connection.execute(f"delete from names as n where {unused}")


def store_all_words(connection: sqlite3.Connection) -> None:
    """Make the terms of everything that is stored, and fill the lexical index with them."""
    stated = {
        str(document_id): language
        for document_id, language in connection.execute(
            "select document_id, language from documents"
        )
    }
    documents = connection.execute("select distinct document_id from chunks order by 1").fetchall()
    for (document_id,) in documents:
        chunks = connection.execute(
            "select chunk_id, body, name_id, live from chunks where document_id = ? "
            "order by ordinal, row_id",
            (document_id,),
        ).fetchall()
        language = language_of(
            connection, stated.get(str(document_id)), (str(chunk[1]) for chunk in chunks)
        )
        for chunk_id, _, name_id, live in chunks:
            store_words(connection, chunk_id, name_id=name_id, language=language)
            if live:
                show_words(connection, chunk_id)


def _store_name(connection: sqlite3.Connection, name_id: int, language: str) -> None:
    row = connection.execute(
        "select name from names n where name_id = ? "
        "and not exists (select 1 from name_words w where w.name_id = n.name_id)",
        (name_id,),
    ).fetchone()
    if row is None:
        return
    found = " ".join(terms(runs(respelled(str(row[0]))), language))
    connection.execute("insert into name_words values (?, ?)", (name_id, found))
    connection.execute("insert into name_search (rowid, terms) values (?, ?)", (name_id, found))


def _store_known(connection: sqlite3.Connection, known: Mapping[tuple[str, str], int]) -> None:
    connection.executemany(
        "insert into known_words values (?, ?, ?, ?) on conflict (word, term) do update set "
        "seen = seen | excluded.seen where seen | excluded.seen <> seen",
        [(word, term, word[::-1], seen) for (word, term), seen in known.items()],
    )
