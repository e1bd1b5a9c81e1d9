"""Charts, icons, tables inside of Markdown, and what a chunk knows of the table it begins in."""

import json
from io import BytesIO
from typing import Any

from kb.config import ChunkingConfig
from kb.formats.data.plain_structure import parse_text
from kb.ingest.chunking import split_document
from tests.kb.formats.documents import docx, outline, parse
from tests.kb.ingest.test_chunking import LetterGroups


def deck(build: Any) -> bytes:
    from pptx import Presentation

    presentation: Any = Presentation()
    build(presentation.slides.add_slide(presentation.slide_layouts[6]).shapes)
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def test_values_of_charts_are_exact_and_may_be_missing():
    def build(shapes: Any) -> None:
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE
        from pptx.util import Inches

        data: Any = CategoryChartData()
        data.categories = ["Q1", "Q2", "Q3"]
        data.add_series("2025", (12.5, 1234567, None))
        data.add_series("2026", (0.1 + 0.2, 1234567.891, 3))
        frame = shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *[Inches(1)] * 4, data)
        for value in frame.chart._chartSpace.iter():
            if str(value.tag).endswith("}v") and value.text == "12.5":
                value.text = "#N/A"

    assert outline(parse(deck(build), "a.pptx")) == [
        "table| | 2025 | 2026\nQ1 |  | 0.3\nQ2 | 1234567 | 1234567.891\nQ3 |  | 3"
    ]


def test_points_of_a_scatter_chart():
    def build(shapes: Any) -> None:
        from pptx.chart.data import XyChartData
        from pptx.enum.chart import XL_CHART_TYPE
        from pptx.util import Inches

        data: Any = XyChartData()
        series = data.add_series("Pump")
        series.add_data_point(1, 2.5)
        series.add_data_point(3, 4)
        shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *[Inches(1)] * 4, data)

    assert outline(parse(deck(build), "a.pptx")) == [
        "table| Series | X | Y\nPump | 1 | 2.5\nPump | 3 | 4"
    ]


def test_a_bold_row_of_a_word_table_names_its_columns():
    def build(document: Any) -> None:
        table = document.add_table(rows=20, cols=2)
        for row in range(20):
            for column, text in enumerate(("Asked", "Said") if not row else ("Who?", "Nobody")):
                run = table.cell(row, column).paragraphs[0].add_run(f"{text} at door {row}")
                run.bold = row == 0

    text = parse(docx(build), "a.docx").text

    assert "Asked at door 0: Who? at door 3 | Said at door 0: Nobody at door 3" in text


def test_icons_are_read_out():
    cells = (
        '<img src="y.png" alt="yes">',
        "<svg><title>no</title><path/></svg>",
        '<i class="check" aria-label="partly"></i>',
        '<span title="soon"></span>',
        '<input type="checkbox" checked disabled>',
        '<img src="star.png" alt=""><b>text</b>',
    )
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    heads = "".join(f"<th>P{number}</th>" for number in range(len(cells)))
    table = f"<table><tr><th>Feature</th>{heads}</tr><tr><td>API</td>{row}</tr></table>"
    prose = "<p>" + "The plans differ in what they offer to teams of any size. " * 10 + "</p>"
    wanted = "API | yes | no | partly | soon | yes | text"

    for name in ("a.html", "a.md"):
        page = f"<html><body><article>{prose}{table}</article></body></html>"
        assert wanted in parse(page if name == "a.html" else table, name).text
    mail = f"From: a@example.com\nContent-Type: text/html\n\n{table}"
    assert wanted in parse(mail, "a.eml").text


def test_html_in_markdown_is_read_as_a_page_is():
    source = (
        "# Plans\n\n<table>\n<tr><th>Plan</th><th>Price</th></tr>\n<tr><td>Basic</td><td>10</td>"
        "</tr>\n</table>\n\n<dl><dt>Fee</dt><dd>12</dd></dl>\n\n- item\n\n  <table><tr><th>A</th>"
        "<th>B</th></tr><tr><td>1</td><td>2</td></tr></table>\n"
    )

    assert outline(parse(source, "a.md")) == [
        "heading1| Plans",
        "table| Plan | Price\nBasic | 10",
        "paragraph| Fee",
        "paragraph| 12",
        "list| - item\n  A | B\n  1 | 2",
    ]


def test_a_table_cut_by_blank_lines_with_markdown_in_its_cells():
    source = (
        "<table>\n<tr>\n<th>Plan</th>\n<th>Price</th>\n</tr>\n\n<tr>\n<td>\n\n**Basic**\n\n</td>\n"
        "<td>\n\n10\n\n</td>\n</tr>\n</table>\n\nAfter."
    )

    assert outline(parse(source, "a.md")) == [
        "table| Plan | Price\nBasic | 10",
        "paragraph| After.",
    ]


def test_a_table_in_mdx_keeps_its_spans():
    source = (
        "<Note>Read</Note>\n\n<table>\n<tr><th>Room</th><th colSpan={2}>Summer</th></tr>\n"
        "<tr><td>Blue</td><td>40</td><td>70</td></tr>\n</table>\n"
    )

    assert "Room | Summer | Summer\nBlue | 40 | 70" in parse(source, "a.mdx").text


def test_each_chunk_of_a_table_in_a_text_knows_the_columns():
    rows = "\n".join(f"| E-{n} | Fault number {n} of the machine | {n} min |" for n in range(60))
    text = f"# Codes\n\n| Code | Meaning | Repair time |\n|---|:--|--:|\n{rows}\n"

    chunks = split_document(
        parse_text(text), document_id="a", tokenizer=LetterGroups(), config=ChunkingConfig()
    )

    assert len(chunks) > 3
    for chunk in chunks:
        assert chunk.text == text[chunk.start_char : chunk.end_char]
        assert "Repair time" in chunk.text or chunk.heading_path == (
            "Codes",
            "Code | Meaning | Repair time",
        )


def test_a_table_of_bars_in_a_text_file_or_plain_mail_keeps_its_columns():
    rows = "\n".join(f"| P{n} | {n} | 3 |" for n in range(30))
    text = f"Rates of the house\n\n| Plan | Price | Seats |\n|---|---|---|\n{rows}\n\nThe end"
    mail = f"From: a@example.com\nSubject: Rates\nContent-Type: text/plain\n\n{text}"

    for source, name in ((text, "a.txt"), (mail, "a.eml")):
        parsed = parse(source, name)
        (table,) = (block for block in parsed.blocks if block.kind == "table")
        assert table.columns == "Plan | Price | Seats"
        assert parsed.text[table.start_char : table.end_char].endswith("| P29 | 29 | 3 |")


def test_each_chunk_of_a_small_table_knows_the_columns():
    rows = "\n".join(f"| Room {n} | {n} euros | {n} people |" for n in range(12))
    parsed = parse(f"| Name | Price | Seats |\n|---|---|---|\n{rows}\n", "a.md")

    chunks = split_document(
        parsed,
        document_id="a",
        tokenizer=LetterGroups(),
        config=ChunkingConfig(target_chars=80),
    )

    assert len(chunks) > 2
    assert all(chunk.heading_path == ("Name | Price | Seats",) for chunk in chunks[1:])


def test_a_title_where_names_should_stand_is_none():
    source = "| Rates 2026 | |\n|---|---|\n| Plan | Price |\n| Basic | 10 |\n| Pro | 30 |\n"

    assert outline(parse(source, "a.md")) == [
        "table| Rates 2026\nPlan | Price\nBasic | 10\nPro | 30"
    ]


def test_a_record_keeps_the_table_in_its_text():
    text = "Rates:\n\n| Plan | Price |\n|---|---|\n| Basic | 10 |"
    source = json.dumps([{"title": "Rates", "text": text}, {"title": "Hours", "text": "9 to 5"}])

    assert outline(parse(source, "a.json")) == [
        "heading1| Rates",
        "paragraph| title: Rates",
        "paragraph| Rates:",
        "table| | Plan | Price |\n|---|---|\n| Basic | 10 |",
        "paragraph| title: Hours\ntext: 9 to 5",
    ]


def test_rows_in_json_are_a_table():
    source = json.dumps({"rates": [["Plan", "Price"], ["Basic", 10], ["Pro", 30]]})

    assert "Plan | Price\nBasic | 10\nPro | 30" in parse(source, "a.json").text


def test_what_a_notebook_printed_is_kept_or_counted():
    outputs = [
        {"output_type": "stream", "text": ["3 rows\n"]},
        {"data": {"text/html": "<table><tr><th>Plan</th></tr><tr><td>Basic</td></tr></table>"}},
        {"data": {"text/plain": "42"}},
        {"data": {"image/png": "iVBO", "text/plain": "<Figure>"}},
    ]
    cell = {"cell_type": "code", "source": "run()", "outputs": outputs}

    parsed = parse(json.dumps({"nbformat": 4, "cells": [cell]}), "a.ipynb")

    assert parsed.text == "run()\n\n3 rows\n\nPlan\n\nBasic\n\n42"
    assert parsed.left_out == {"output": 1}
