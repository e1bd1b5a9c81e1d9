"""Chunks: exact offsets, full cover, bounded tokens, structure."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.config import ChunkingConfig
from kb.document import Block, BlockKind, PageStart, ParsedDocument
from kb.ingest.chunking import heading_line, split_document


class LetterGroups:
    """At most three letters a token: cutting a word changes how many it has."""

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,3}|[^\w\s]", text)]


def parsed(*blocks: tuple[BlockKind, str, int], title: str | None = None) -> ParsedDocument:
    text, spans = "", []
    for kind, content, level in blocks:
        spans.append(Block(kind, len(text), len(text) + len(content), level))
        text += content + "\n\n"
    return ParsedDocument(text=text, title=title, media_type="text/plain", blocks=tuple(spans))


def split(document: ParsedDocument, *, max_tokens: int = 200, target_chars: int = 400):
    return split_document(
        document,
        document_id="doc",
        tokenizer=LetterGroups(),
        config=ChunkingConfig(max_tokens=max_tokens, target_chars=target_chars),
    )


_BLOCKS = st.lists(
    st.tuples(
        st.sampled_from(["heading", "paragraph", "list", "code"]),
        st.text(st.sampled_from("ab cX.1 \n日é!-\t"), max_size=120),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(
    blocks=_BLOCKS,
    bare=st.booleans(),
    title=st.none() | st.text("word s", max_size=40),
    max_tokens=st.integers(8, 60),
    target_chars=st.integers(1, 90),
)
def test_chunks_are_exact_complete_and_bounded(
    blocks: list[tuple[BlockKind, str, int]],
    bare: bool,
    title: str | None,
    max_tokens: int,
    target_chars: int,
):
    document = parsed(*blocks, title=title)
    if bare:
        document = ParsedDocument(text=document.text, title=title, media_type="text/plain")
    chunks = split(document, max_tokens=max_tokens, target_chars=target_chars)

    end = 0
    for index, chunk in enumerate(chunks):
        assert chunk.ordinal == index
        assert chunk.text == document.text[chunk.start_char : chunk.end_char]
        assert chunk.text.strip() == chunk.text != ""
        assert document.text[end : chunk.start_char].strip() == "", "text was left out"
        assert chunk.start_char >= end, "text is in two chunks"
        end = chunk.end_char
    assert document.text[end:].strip() == ""
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    for chunk in chunks:
        assert len(LetterGroups().offsets(chunk.indexed_text)) <= max_tokens


def test_a_heading_starts_a_chunk_and_is_above_the_next_ones():
    body = "One sentence of the body here. " * 6
    chunks = split(
        parsed(("heading", "Refunds", 1), ("heading", "Cards", 2), ("paragraph", body, 0)),
        target_chars=90,
    )

    assert chunks[0].text.startswith("Refunds\n\nCards")
    assert chunks[0].heading_path == ()
    assert {chunk.heading_path for chunk in chunks[1:]} == {("Refunds", "Cards")}
    assert all(chunk.text.endswith(".") for chunk in chunks)


def test_a_sibling_heading_has_only_its_parents_above():
    chunks = split(
        parsed(
            ("heading", "Guide", 1),
            ("paragraph", "Intro.", 0),
            ("heading", "Install", 2),
            ("paragraph", "Run it.", 0),
            ("heading", "Remove", 2),
            ("paragraph", "Delete it.", 0),
        )
    )

    assert [(chunk.heading_path, chunk.text.split()[0]) for chunk in chunks] == [
        ((), "Guide"),
        (("Guide",), "Install"),
        (("Guide",), "Remove"),
    ]


def test_a_list_is_cut_between_its_lines():
    items = "\n".join(f"- item number {number} of the list" for number in range(12))
    chunks = split(parsed(("list", items, 0)), target_chars=100)

    assert len(chunks) > 2
    assert all(chunk.text.startswith("- item") for chunk in chunks)


def test_a_chunk_knows_the_page_it_starts_on():
    document = ParsedDocument(
        text="First page text.\n\nSecond page text.",
        title=None,
        media_type="application/pdf",
        pages=(PageStart(0, "i"), PageStart(18, "ii")),
    )

    assert [chunk.page for chunk in split(document, target_chars=10)] == ["i", "ii", "ii"]


def test_the_same_content_gives_the_same_ids_and_another_document_others():
    document = parsed(("paragraph", "Some text.", 0))

    assert split(document)[0].chunk_id == split(document)[0].chunk_id
    other = split_document(
        document, document_id="other", tokenizer=LetterGroups(), config=ChunkingConfig()
    )
    assert other[0].chunk_id != split(document)[0].chunk_id


def test_a_title_that_the_first_heading_repeats_is_said_once():
    assert heading_line("Refunds", ("refunds", "Cards")) == "refunds > Cards"
    assert heading_line(None, ()) == ""


def test_a_chunk_knows_the_page_and_headings_of_each_of_its_parts():
    document = parsed(
        ("heading", "Guide", 1),
        ("heading", "Pumps", 2),
        ("paragraph", "Blue runs at 12 bar.", 0),
        ("paragraph", "Grey runs at 5 bar.", 0),
    )
    second = document.text.index("Grey")
    document = replace(document, pages=(PageStart(0, "i"), PageStart(second, "ii")))

    (chunk,) = split(document)

    assert chunk.page == "i"
    assert [(p.start_char, p.page, p.heading_path) for p in chunk.places] == [
        (0, "i", ("Guide",)),
        (document.text.index("Pumps"), "i", ("Guide", "Pumps")),
        (second, "ii", ("Guide", "Pumps")),
    ]


@pytest.mark.parametrize(
    ("line", "leads_on"),
    [("Article 41", True), ("So it ends.", False), ("one of\ntwo lines", False)],
)
def test_a_line_that_looks_like_a_heading_stays_with_what_follows(line: str, leads_on: bool):
    long = "Some words of a paragraph. " * 12
    chunks = split(
        parsed(("paragraph", long, 0), ("paragraph", line, 0), ("paragraph", long, 0)),
        target_chars=340,
    )
    (with_line,) = [chunk for chunk in chunks if line in chunk.text]

    assert with_line.text.strip().startswith(line) == leads_on


def test_a_chunk_that_begins_right_behind_a_table_has_no_columns():
    row = "1 | 2 | 3\n"
    rows, words = row * 20, "Some words of a paragraph. " * 12
    text = rows + words
    blocks = (
        Block("table", 0, len(rows), columns="a | b | c"),
        Block("paragraph", len(rows), len(text)),
    )
    chunks = split(
        ParsedDocument(text=text, title=None, media_type="text/plain", blocks=blocks),
        target_chars=100,
    )
    above = {chunk.start_char: chunk.heading_path for chunk in chunks}

    assert above[len(rows)] == ()
    assert above[100] == ("a | b | c",)


@pytest.mark.parametrize(
    "sentence",
    [
        "पुस्तकालय सोमवार को बंद है।",
        "کتب خانہ پیر کو بند ہے۔",
        "هل المكتبة مفتوحة اليوم؟",
        "Գրադարանը փակ է երկուշաբթի։",
        "ቤተ መጻሕፍቱ ሰኞ ዝግ ነው።",
        "បណ្ណាល័យបិទនៅថ្ងៃច័ន្ទ។",
        "他说：“图书馆每周一不开门。”",
        "図書館は月曜日が休館だ．",
    ],
)
def test_a_chunk_ends_where_a_sentence_does(sentence: str):
    chunks = split(parsed(("paragraph", f"{sentence} " * 30, 0)), target_chars=100)

    assert len(chunks) > 2
    assert {chunk.text[-1] for chunk in chunks} == {sentence[-1]}
