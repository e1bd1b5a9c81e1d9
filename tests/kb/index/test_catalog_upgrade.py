"""A catalog of an earlier release is brought up to date by whoever opens it, with all documents."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kb.index.catalog_schema import STEPS
from kb.knowledge_base import KnowledgeBase
from tests.kb.conftest import OpenKnowledgeBase

TEXTS = {
    "zh": "顾客可以在收到商品之后的三十天之内申请退货。",
    "de": "Die Kündigungsfristen für alle Verträge stehen auf der Rückseite des Blattes.",
    "code": "# SKU-4411B\n\nIt is a valve and costs 12.500 euros.",
}


BEFORE_WORDS = 4


def make_old(directory: Path) -> None:
    """Turn a new catalog into one as the release before left it."""
    with closing(
        sqlite3.connect(directory / "catalog.sqlite3", isolation_level=None)
    ) as connection:
        for table in ("chunk_terms", "chunk_search", "name_search", "chunk_words", "name_words",
                      "known_words"):  # fmt: skip
            connection.execute(f"drop table {table}")
        scripts = ";\n".join(STEPS[:BEFORE_WORDS]).split(";\n")
        for statement in scripts:
            if "virtual table" in statement:
                connection.execute(statement)
        connection.execute(
            "insert into chunk_search (rowid, headings, body) "
            "select row_id, headings, body from chunks where live"
        )
        connection.execute("insert into name_search (rowid, name) select name_id, name from names")
        connection.execute(f"pragma user_version = {BEFORE_WORDS}")


@pytest.fixture
def old(open_kb: OpenKnowledgeBase) -> Path:
    kb = open_kb()
    kb.add_texts([*TEXTS.items(), ("gone", "A zebra was here.")])
    kb.remove(kb.documents()[-1].document_id)
    kb.close()
    make_old(kb.directory)
    return kb.directory


@pytest.mark.parametrize("read_only", [False, True])
def test_it_finds_all_it_held(old: Path, open_kb: OpenKnowledgeBase, read_only: bool):
    kb = open_kb(read_only=read_only)

    assert [document.name for document in kb.documents()] == list(TEXTS)
    for query, name in (("退货", "zh"), ("Kündigungsfrist", "de"), ("sku 4411 b", "code"),
                        ("12500", "code")):  # fmt: skip
        assert kb.retrieve_lexical(query, limit=1)[0].document_name == name
        assert name in [passage.document_name for passage in kb.retrieve(query, limit=2)]
    assert kb.retrieve_lexical("zebra") == []


def test_it_can_be_changed_and_rolled_back_afterwards(old: Path, open_kb: OpenKnowledgeBase):
    kb = open_kb()
    before = kb.index_version
    kb.remove(next(each.document_id for each in kb.documents() if each.name == "code"))
    assert kb.retrieve_lexical("SKU4411B") == []
    kb.add_text("more", "The fee is 77.700 euros.")

    kb.rollback(before)

    assert kb.retrieve_lexical("SKU4411B", limit=1)[0].document_name == "code"
    assert kb.retrieve_lexical("77700") == []
    with closing(sqlite3.connect(kb.directory / "catalog.sqlite3")) as connection:
        for index in ("chunk_search", "name_search"):
            connection.execute(f"insert into {index} ({index}) values ('integrity-check')")


def test_terms_of_an_earlier_release_are_made_anew(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_texts([*TEXTS.items(), ("phone", "Call +49 (0)30 1234-567 at night.")])
    kb.close()
    with closing(sqlite3.connect(kb.directory / "catalog.sqlite3")) as connection:
        connection.execute("insert into chunk_search (chunk_search) values ('delete-all')")
        connection.execute("update chunk_words set extra = '', body = 'stale'")
        connection.execute(
            "insert into chunk_search (rowid, headings, body, extra) "
            "select row_id, headings, body, extra from chunk_words"
        )
        connection.execute("pragma user_version = 5")
        connection.commit()

    kb = open_kb()

    assert kb.retrieve_lexical("0301234567", limit=1)[0].document_name == "phone"
    assert kb.retrieve_lexical("退貨", limit=1)[0].document_name == "zh"
    assert kb.retrieve_lexical("stale") == []
    with closing(sqlite3.connect(kb.directory / "catalog.sqlite3")) as connection:
        for index in ("chunk_search", "name_search"):
            connection.execute(f"insert into {index} ({index}) values ('integrity-check')")


def test_erasing_leaves_no_term(open_kb: OpenKnowledgeBase):
    kb: KnowledgeBase = open_kb()
    kb.add_text("kept", "The lion is called Anna.")
    document = kb.add_text("secret", "The zebra is called Zbigniew.")

    kb.remove(document.document_id, erase=True)

    kb.close()
    with closing(sqlite3.connect(kb.directory / "catalog.sqlite3")) as connection:
        rows = connection.execute("select headings || body || extra from chunk_words").fetchall()
        words = {row[0] for row in connection.execute("select word from known_words")}
        names = [row[0] for row in connection.execute("select name from names")]
    assert rows == [("the lion is call anna",)]
    assert words == {"the", "lion", "called", "anna"}
    assert names == ["kept"]
