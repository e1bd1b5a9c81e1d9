"""One random table in every format: each value is stored with its own row and column."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.kb.formats.documents import parse
from tests.kb.formats.tables.made_tables import FORMATS, Made, open_document, tables, triples


@pytest.mark.parametrize("name", FORMATS)
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(made=tables())
def test_each_value_has_its_row_and_column(name: str, made: Made):
    parsed = parse(FORMATS[name](made), name)

    right, wanted = triples(made, parsed.text)
    assert right == wanted, parsed.text


def _open_row(*cells: str) -> str:
    inside = "".join(
        f"<table:table-cell>{c if c[:1] == '<' else f'<text:p>{c}</text:p>'}</table:table-cell>"
        for c in cells
    )
    return f"<table:table-row>{inside}</table:table-row>"


def _open_rows(*rows: tuple[str, ...]) -> str:
    return f'<table:table table:name="T">{"".join(_open_row(*row) for row in rows)}</table:table>'


def test_a_table_in_a_cell_of_open_text_is_part_of_its_row():
    inner = _open_rows(("Users", "1"), ("Price", "10"))
    data = open_document("text", _open_rows(("Plan", "Details"), ("Basic", inner)))

    assert parse(data, "a.odt").text == "Plan | Details\nBasic | Users: 1; Price: 10"


def test_tables_side_by_side_in_open_text_are_tables_of_their_own():
    plans = _open_rows(("Plan", "Price"), ("Basic", "10"))
    rooms = _open_rows(("Room", "Seats"), ("Blue", "8"))

    assert parse(open_document("text", _open_rows((plans, rooms))), "a.odt").text == (
        "Plan | Price\nBasic | 10\n\nRoom | Seats\nBlue | 8"
    )


def test_notes_to_open_cells_are_counted_and_boxes_on_open_sheets_kept():
    note = "<office:annotation><text:p>until May</text:p></office:annotation><text:p>10</text:p>"
    box = "<draw:frame><draw:text-box><text:p>With tax</text:p></draw:text-box></draw:frame>"
    cells = _open_rows(("Plan", "Price"), ("Basic", note))
    shapes = f"<table:shapes>{box}</table:shapes>"
    data = open_document("spreadsheet", cells.replace('"T">', f'"T">{shapes}'))

    parsed = parse(data, "a.ods")

    assert parsed.text == "T\n\nPlan | Price\nBasic | 10\n\nWith tax"
    assert parsed.left_out == {"comment": 1}
