"""Tables of PDFs: every value with its row and column, ruled or not, over pages."""

from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.config import ChunkingConfig
from kb.ingest.chunking import split_document
from tests.kb.conftest import WordEmbedder
from tests.kb.formats.documents import outline, parse, pdf

PROSE = (
    "The following list shows what we have in store and what each of these parts costs this year, "
    "with the fees for the delivery to your address in town, as was said in the letter."
)
STYLES: dict[str, list[tuple[Any, ...]]] = {
    "grid": [("GRID", (0, 0), (-1, -1), 0.5, "black")],
    "inner": [("INNERGRID", (0, 0), (-1, -1), 0.5, "black")],
    "lines": [("LINEBELOW", (0, 0), (-1, -1), 0.5, "black")],
    "header line": [("LINEBELOW", (0, 0), (-1, 0), 0.5, "black")],
    "none": [],
}


def with_table(rows: list[list[Any]], style: str, *commands: Any, repeat: int = 0) -> bytes:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    buffer = BytesIO()
    body = getSampleStyleSheet()["BodyText"]
    table = Table(rows, repeatRows=repeat, style=[*STYLES[style], *commands])
    document: Any = SimpleDocTemplate(buffer, pagesize=(595, 842), invariant=1)
    document.build([Paragraph(PROSE, body), table, Paragraph(PROSE, body)])
    return buffer.getvalue()


def price_list(count: int) -> list[list[str]]:
    rows = [[f"SKU-{4400 + n}", f"Valve {n}", f"{n * 7 % 90}.50", str(n)] for n in range(count)]
    return [["Code", "Name", "Price in euros", "Stock"], *rows]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("repeat", [0, 1])
def test_each_row_is_a_line_with_its_columns_over_pages(style: str, repeat: int):
    rows = price_list(77)

    parsed = parse(with_table(rows, style, repeat=repeat), "a.pdf")

    lines = parsed.text.split("\n")
    said = [
        " | ".join(f"{name}: {value}" for name, value in zip(rows[0], row, strict=True))
        for row in rows[1:]
    ]
    assert [line for line in lines if "SKU-" in line] == said
    assert parsed.text.count("Code | Name") == 1
    assert sum(block.kind == "table" for block in parsed.blocks) == len(parsed.pages) == 3
    embedder = WordEmbedder()
    chunks = split_document(
        parsed, document_id="d", tokenizer=embedder, config=ChunkingConfig(target_chars=400)
    )
    for chunk in chunks:
        cut = [line for line in chunk.text.split("\n") if "SKU-" in line]
        assert set(cut) <= set(said)


@pytest.mark.parametrize("style", STYLES)
def test_a_small_table_stays_rows_under_its_names(style: str):
    assert outline(parse(with_table(price_list(3), style), "a.pdf"))[1] == (
        "table| Code | Name | Price in euros | Stock\nSKU-4400 | Valve 0 | 0.50 | 0\n"
        "SKU-4401 | Valve 1 | 7.50 | 1\nSKU-4402 | Valve 2 | 14.50 | 2"
    )


def test_cells_that_span_stand_in_each_column():
    rows = [
        ["Room", "Summer", "", "Winter"],
        ["Room 12", "52", "62", "42"],
        ["Room 14", "53", "63", "43"],
        ["", "54", "64", "44"],
    ]
    spans = [("SPAN", (1, 0), (2, 0)), ("SPAN", (0, 2), (0, 3))]

    text = parse(with_table(rows, "grid", *spans), "a.pdf").text

    assert "Room | Summer | Summer | Winter\nRoom 12 | 52 | 62 | 42\n" in text
    assert "Room 14 | 53 | 63 | 43\nRoom 14 | 54 | 64 | 44" in text


@pytest.mark.parametrize("style", ["grid", "lines", "none"])
def test_a_cell_of_several_lines_stays_one(style: str):
    rows = price_list(5)
    rows[2][1] = "Valve for low\npressure in\nold houses"

    text = parse(with_table(rows, style, ("VALIGN", (0, 0), (-1, -1), "TOP")), "a.pdf").text

    assert "SKU-4401 | Valve for low pressure in old houses | 7.50 | 1" in text


@pytest.mark.parametrize("width", [3, 4, 7])
def test_a_table_that_is_nearly_blank_keeps_columns_over_pages(width: int):
    names = [f"name {n}" for n in range(width)]
    blank = [[f"row{n}x", *[""] * (width - 1)] for n in range(36)]
    blank[20][1], blank[35][-1] = "b", "z"

    lines = parse(with_table([names, *blank], "grid"), "a.pdf").text.split("\n")

    for row in (blank[20], blank[35]):
        said = " | ".join(f"{n}: {cell}" for n, cell in zip(names, row, strict=True) if cell)
        assert said in lines or " | ".join(row).strip() in lines


VALUE = st.text("abcdefgh", min_size=1, max_size=9) | st.integers(0, 9_999).map(str)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), style=st.sampled_from(["grid", "inner", "lines"]))
def test_every_value_keeps_its_row_and_column(data: st.DataObject, style: str):
    width = data.draw(st.integers(2, 6))
    count = data.draw(st.integers(3, 50))
    # Without rules beside it, a blank cell shows only by what stands around it.
    cell = VALUE if style == "lines" else st.just("") | VALUE
    body = [[f"row{n}x", *(data.draw(cell) for _ in range(width - 1))] for n in range(count)]
    # Columns that are blank everywhere are no columns.
    body[0] = ["row0x", *("filled" for _ in range(width - 1))]
    names = [f"name {chr(97 + at)}" for at in range(width)]

    lines = parse(with_table([names, *body], style), "a.pdf").text.split("\n")

    for row in body:
        (line,) = [line for line in lines if f"{row[0]} |" in f"{line} |"]
        labelled = [f"{name}: {value}" for name, value in zip(names, row, strict=True) if value]
        plain = " | ".join(row).strip()
        assert line in (" | ".join(labelled), plain, plain.rstrip(" |"))


def test_prose_in_columns_lists_and_contents_are_no_tables():
    columns = [("Left words run on here and on", 11, "Helvetica")] * 5
    listed = [(f"{n}.   Do the step that is numbered so", 11, "Helvetica") for n in range(1, 6)]
    contents = [(f"Chapter {n} . . . . . . . . . . {n}", 11, "Helvetica") for n in range(5)]

    for page in (columns, listed, contents):
        assert all(block.kind != "table" for block in parse(pdf(page), "a.pdf").blocks)
