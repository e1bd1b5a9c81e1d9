"""The knowledge base as its users see it."""

from pathlib import Path

import pytest

from kb.config import IndexConfig, KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.document import FileSource, LinkSource, SyncReport, TextSource
from kb.errors import (
    BusyError,
    CatalogError,
    DocumentError,
    IndexMismatchError,
    KnowledgeBaseError,
    LimitError,
    UnknownDocumentError,
)
from kb.ingest.writer_lock import writer_lock
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase, WordEmbedder

REFUNDS = "Refunds take five working days and go to the card that was charged."
SHIPPING = "Parcels are shipped to every country of the European Union."


def actions(report: SyncReport) -> dict[str, str]:
    return {row.name: row.action for row in report.rows}


def test_what_was_added_is_found_with_exact_offsets(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    document = kb.add_text("Refunds", f"# Money back\n\n{REFUNDS}\n")
    kb.add_text("Shipping", SHIPPING)

    passages = kb.retrieve("how long do refunds take")

    assert passages[0].document_id == document.document_id
    assert [passage.rank for passage in passages] == [1, 2]
    text = kb.text_of(document.document_id)
    assert passages[0].text == text[passages[0].start_char : passages[0].end_char]
    assert passages[0].document_version == 1


def test_it_is_there_after_reopening(open_kb: OpenKnowledgeBase):
    open_kb().add_text("Refunds", REFUNDS)

    assert open_kb(read_only=True).retrieve("refunds")[0].document_name == "Refunds"


def test_an_empty_knowledge_base_finds_nothing(open_kb: OpenKnowledgeBase):
    kb = open_kb()

    assert kb.retrieve("refunds") == []
    assert kb.index_version == 0
    assert kb.documents() == []


@pytest.mark.parametrize("query", ["", "   ", '"', "?!", "NEAR(", "a AND", "*", "\x00", "日本"])
def test_no_query_is_an_error(open_kb: OpenKnowledgeBase, query: str):
    kb = open_kb()
    kb.add_text("Refunds", REFUNDS)

    assert len(kb.retrieve(query)) <= 1


def test_a_removed_document_is_found_no_more(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    document = kb.add_text("Refunds", REFUNDS)
    kb.add_text("Shipping", SHIPPING)

    kb.remove(document.document_id)

    assert [passage.document_name for passage in kb.retrieve("refunds")] == ["Shipping"]
    with pytest.raises(UnknownDocumentError):
        kb.remove(document.document_id)


def test_old_versions_stay_readable_until_erased(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    first = kb.add_text("Refunds", REFUNDS)
    second = kb.add_text("Refunds", "Refunds take ten days.")

    assert (first.version, second.version) == (1, 2)
    assert second.document_id == first.document_id
    assert kb.text_of(first.document_id) == "Refunds take ten days."
    assert kb.text_of(first.document_id, version=1) == REFUNDS

    kb.remove(first.document_id)
    assert kb.text_of(first.document_id, version=1) == REFUNDS
    kb.add_text("Refunds", REFUNDS)
    kb.remove(first.document_id, erase=True)
    with pytest.raises(UnknownDocumentError):
        kb.text_of(first.document_id)


def test_the_document_limit_names_what_to_do(open_kb: OpenKnowledgeBase):
    kb = open_kb(KnowledgeBaseConfig(limits=Limits(max_documents=1)))
    kb.add_text("Refunds", REFUNDS)

    with pytest.raises(LimitError, match=r"'Shipping' would be document 2 of at most 1.*'Refunds'"):
        kb.add_text("Shipping", SHIPPING)
    assert [document.name for document in kb.documents()] == ["Refunds"]
    kb.add_text("Refunds", SHIPPING)


def test_the_byte_limit_counts_what_is_replaced_once(open_kb: OpenKnowledgeBase):
    kb = open_kb(KnowledgeBaseConfig(limits=Limits(max_total_bytes=100)))
    kb.add_text("Refunds", "a" * 80)

    kb.add_text("Refunds", "b" * 100)
    with pytest.raises(LimitError, match=r"100 bytes of 100 bytes are in use.*'Refunds'"):
        kb.add_text("Shipping", "c")


def test_sync_makes_it_hold_exactly_the_sources(open_kb: OpenKnowledgeBase, tmp_path: Path):
    path = tmp_path / "shipping.txt"
    path.write_text(SHIPPING)
    kb = open_kb()
    kb.add_text("Old", "Something that is no longer true.")
    sources = [TextSource("Refunds", REFUNDS), FileSource(path), FileSource(tmp_path / "no.txt")]

    first = kb.sync(sources)
    second = kb.sync(sources)

    assert actions(first) == {
        "Refunds": "added",
        "shipping.txt": "added",
        "no.txt": "failed",
        "Old": "removed",
    }
    failed = first.rows[2]
    assert failed.reason == "not_found"
    assert failed.detail is not None
    assert actions(second) == {
        "Refunds": "unchanged",
        "shipping.txt": "unchanged",
        "no.txt": "failed",
    }
    assert (first.chunks_embedded, second.chunks_embedded) == (2, 0)
    assert second.index_version == first.index_version


def test_a_plan_says_what_sync_would_do_and_changes_nothing(
    open_kb: OpenKnowledgeBase, tmp_path: Path
):
    path = tmp_path / "shipping.txt"
    path.write_text(SHIPPING)
    kb = open_kb(KnowledgeBaseConfig(limits=Limits(max_documents=3)))
    kb.sync([TextSource("Refunds", REFUNDS), TextSource("Old", "Gone."), FileSource(path)])
    path.write_text("Nothing is shipped.")
    sources = [
        TextSource("Refunds", REFUNDS),
        FileSource(path),
        FileSource(tmp_path / "no.txt"),
        LinkSource("https://example.com/terms"),
        TextSource("Late", "One too many."),
    ]
    before = (kb.documents(), kb.index_version)

    report = kb.plan(sources)

    assert actions(report) == {
        "Refunds": "unchanged",
        "shipping.txt": "replaced",
        "no.txt": "failed",
        "https://example.com/terms": "added",
        "Late": "failed",
        "Old": "removed",
    }
    assert {row.name: row.reason for row in report.rows if row.reason} == {
        "no.txt": "not_found",
        "Late": "limit",
    }
    assert (kb.documents(), kb.index_version) == before


def test_only_changed_chunks_are_embedded(open_kb: OpenKnowledgeBase, embedder: WordEmbedder):
    paragraphs = [
        f"Paragraph {number} says one thing about topic {number}. " * 8 for number in range(6)
    ]
    kb = open_kb()
    kb.add_text("Guide", "\n\n".join(paragraphs))
    before = embedder.embedded

    kb.add_text("Guide", "\n\n".join([*paragraphs[:-1], "A new last paragraph. " * 12]))

    assert 0 < embedder.embedded - before < before / 2


def test_a_source_over_the_limit_fails_alone_in_sync(open_kb: OpenKnowledgeBase):
    kb = open_kb(KnowledgeBaseConfig(limits=Limits(max_documents=1)))

    report = kb.sync([TextSource("Refunds", REFUNDS), TextSource("Shipping", SHIPPING)])

    assert [(row.action, row.reason) for row in report.rows] == [
        ("added", None),
        ("failed", "limit"),
    ]


def test_a_single_add_raises_and_leaves_no_row(open_kb: OpenKnowledgeBase, tmp_path: Path):
    kb = open_kb()

    with pytest.raises(DocumentError) as caught:
        kb.add_file(tmp_path / "absent.md")
    assert caught.value.reason == "not_found"
    with pytest.raises(DocumentError):
        kb.add_text("Nothing", " \n")
    assert kb.documents() == []


def test_rollback_restores_documents_and_passages(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_text("Refunds", REFUNDS)
    kb.add_text("Shipping", SHIPPING)
    good = kb.index_version
    kb.sync([TextSource("Refunds", "Refunds are never paid.")])

    kb.rollback(good)

    assert {document.name for document in kb.documents()} == {"Refunds", "Shipping"}
    assert kb.retrieve("refunds")[0].text == REFUNDS
    assert kb.index_version == good + 2
    with pytest.raises(KnowledgeBaseError, match="no index version 99"):
        kb.rollback(99)


def test_another_model_rebuilds_on_write_and_refuses_to_read(open_kb: OpenKnowledgeBase):
    open_kb().add_text("Refunds", REFUNDS)
    other = WordEmbedder("words/2")

    with pytest.raises(IndexMismatchError, match="words/1"):
        open_kb(with_embedder=other, read_only=True).retrieve("refunds")
    kb = open_kb(with_embedder=other)
    kb.add_text("Shipping", SHIPPING)

    assert {passage.document_name for passage in kb.retrieve("refunds")} == {"Refunds", "Shipping"}
    assert other.embedded == 2


def test_a_reader_sees_a_write_through_another_object(open_kb: OpenKnowledgeBase):
    writer, reader = open_kb(), open_kb()
    writer.add_text("Refunds", REFUNDS)
    assert len(reader.retrieve("refunds")) == 1

    writer.add_text("Shipping", SHIPPING)

    assert len(reader.retrieve("shipped parcels")) == 2


def test_read_only_needs_something_and_changes_nothing(open_kb: OpenKnowledgeBase):
    with pytest.raises(CatalogError, match="no knowledge base"):
        open_kb(read_only=True)
    open_kb().add_text("Refunds", REFUNDS)
    with pytest.raises(KnowledgeBaseError, match="read only"):
        open_kb(read_only=True).add_text("Shipping", SHIPPING)


def test_a_collection_that_lost_vectors_is_built_anew(open_kb: OpenKnowledgeBase):
    kb = open_kb(UNLIMITED)
    kb.add_texts((f"Text {number}", f"Fact number {number} is alone.") for number in range(8))
    documents = kb.documents()

    for document in documents[:4]:
        kb.remove(document.document_id)

    assert len(kb.retrieve("fact number", limit=20)) == 4


def test_llama_index_can_use_it(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    document = kb.add_text("Refunds", REFUNDS)

    nodes = kb.as_llama_index_retriever(limit=1).retrieve("refunds")

    assert nodes[0].text == REFUNDS
    assert nodes[0].metadata["document_id"] == document.document_id


def test_a_text_with_half_a_character_is_taken_in(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_text("Broken", "Refunds \ud83d take five days.")

    assert kb.retrieve("refunds")[0].text == "Refunds ? take five days."
    for search in (kb.retrieve, kb.retrieve_lexical):
        assert search("how long \ud83d refunds \ude00")[0].document_name == "Broken"


def test_a_second_writer_is_told_to_wait(open_kb: OpenKnowledgeBase, tmp_path: Path):
    config = KnowledgeBaseConfig(index=IndexConfig(writer_timeout_s=0.05))
    kb = open_kb(config)

    with writer_lock(tmp_path / "kb", timeout_s=1), pytest.raises(BusyError, match="Wait for it"):
        kb.add_text("Refunds", REFUNDS)
    kb.add_text("Refunds", REFUNDS)


def test_a_rewritten_turn_says_what_was_searched_for(open_kb: OpenKnowledgeBase):
    kb = open_kb()
    kb.add_text("Refunds", REFUNDS)
    kb.add_text("Shipping", SHIPPING)

    rewritten = kb.retrieve("and those?", rewrite=lambda query, history: "parcels shipped")
    as_said = kb.retrieve("refunds", rewrite=lambda query, history: None)

    assert rewritten[0].document_name == "Shipping"
    assert rewritten[0].searched_for == "parcels shipped"
    assert as_said[0].document_name == "Refunds"
    assert as_said[0].searched_for is None


class LongerEmbedder(WordEmbedder):
    """Another model behind the same name, as a server may exchange it."""

    dimension = 96


def test_a_model_exchanged_behind_its_name_is_noticed(open_kb: OpenKnowledgeBase):
    open_kb().add_text("Refunds", REFUNDS)
    kb = open_kb(with_embedder=LongerEmbedder())

    with pytest.raises(IndexMismatchError, match=r"96 numbers.*vectors of 64.*rebuild_index"):
        kb.retrieve("refunds")
    kb.rebuild_index()

    assert kb.retrieve("refunds")[0].text == REFUNDS
    assert kb.vectors()[1].shape == (1, 96)


def test_vectors_of_two_lengths_never_meet(open_kb: OpenKnowledgeBase):
    open_kb().add_text("Refunds", REFUNDS)
    longer = LongerEmbedder()
    kb = open_kb(with_embedder=longer)

    kb.add_text("Shipping", SHIPPING)

    assert kb.vectors()[1].shape == (2, 96)
    assert len(kb.retrieve("parcels refunds")) == 2
    approximate = RetrievalConfig(search="approximate")
    config = KnowledgeBaseConfig(retrieval=approximate)
    assert len(open_kb(config, with_embedder=longer).retrieve("parcels refunds")) == 2


def test_texts_are_compared_by_the_embedding_model(open_kb: OpenKnowledgeBase):
    kb = open_kb()

    same, near, far = kb.similarities("blue shoes", ["blue shoes", "blue boots", "refund policy"])

    assert same == pytest.approx(1.0, abs=1e-5)
    assert same > near > far
    assert kb.similarities("blue shoes", []) == []
