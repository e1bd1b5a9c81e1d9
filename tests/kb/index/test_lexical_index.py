"""What makes the lexical index quicker to read changes nothing that is found in it."""

import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.index import catalog_words
from kb.index.catalog_schema import STEPS
from kb.index.catalog_words import join_segments
from kb.retrieval.lexical import TermCounts, search_chunks
from tests.kb.conftest import OpenKnowledgeBase

TERMS = [f"t{number}" for number in range(40)]


def connect(path: Path | str = ":memory:") -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for script in STEPS:
        for statement in script.split(";\n"):
            connection.execute(statement)
    return connection


def add(connection: sqlite3.Connection, row_id: int, body: str) -> None:
    values = row_id, "en", "", body, "", 0
    connection.execute("insert into chunk_words values (?, ?, ?, ?, ?, ?)", values)
    connection.execute(
        "insert into chunk_search (rowid, headings, body, extra) values (?, '', ?, '')",
        (row_id, body),
    )


def segments(connection: sqlite3.Connection) -> int:
    row = connection.execute("select count(distinct segid) from chunk_search_idx").fetchone()
    return int(row[0])


def filled(seed: int) -> sqlite3.Connection:
    """Added one by one, some of it taken out again: many segments."""
    draw, connection = random.Random(seed), connect()
    texts = [" ".join(draw.choices(TERMS, k=draw.randint(1, 30))) for _ in range(95)]
    for row_id, text in enumerate(texts, start=1):
        add(connection, row_id, text)
    for row_id in draw.sample(range(1, 95), 10):
        connection.execute(
            "insert into chunk_search (chunk_search, rowid, headings, body, extra) "
            "values ('delete', ?, '', ?, '')",
            (row_id, texts[row_id - 1]),
        )
    return connection


@pytest.mark.parametrize("seed", range(5))
def test_joined_segments_rank_and_count_the_same(seed: int):
    connection = filled(seed)
    draw = random.Random(seed)
    asked = [draw.sample(TERMS, draw.randint(1, 8)) for _ in range(10)]

    def found() -> list[list[tuple[int, float]]]:
        return [list(search_chunks(connection, terms, limit=50).items()) for terms in asked]

    before, counts = found(), TermCounts(chunk_count=95).read(connection, TERMS)
    assert segments(connection) > 6
    join_segments(connection)
    assert segments(connection) == 1
    assert found() == before
    assert TermCounts(chunk_count=95).read(connection, TERMS) == counts
    connection.execute("insert into chunk_search (chunk_search) values ('integrity-check')")


def test_few_segments_are_left_alone():
    connection = connect()
    for row_id in range(1, 4):
        add(connection, row_id, "one two")
    before = segments(connection), connection.total_changes
    join_segments(connection)
    assert (segments(connection), connection.total_changes) == before


def test_a_publish_joins_them(
    open_kb: OpenKnowledgeBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(catalog_words, "_MAX_SEGMENTS", 1)
    open_kb().add_texts([(name, f"The text of {name}.") for name in ("one", "two", "three")])
    with sqlite3.connect(tmp_path / "kb" / "catalog.sqlite3") as connection:
        assert segments(connection) == 1


MANY = filled(1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([*TERMS, "unknown", "it's", "a b", '"', ""]), max_size=60))
def test_terms_are_counted_together_as_one_by_one(terms: list[str]):
    connection = MANY
    together = TermCounts(chunk_count=95)
    together.read(connection, terms)
    alone = TermCounts(chunk_count=95)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    counted = [together.count(connection, term) for term in terms]
    connection.set_trace_callback(None)
    assert statements == []
    assert counted == [alone.count(connection, term) for term in terms]
