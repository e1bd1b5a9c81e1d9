"""Which rows name the columns, and what is written where none does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.formats.tables.grid import Cell, lay_out
from kb.formats.tables.rendering import render_table

ROOMY = " in a house by the sea with a garden of its own"


def large(*head: list[str | Cell], rows: list[list[str | Cell]]) -> list[str]:
    """The lines of a table too large to stay plain rows."""
    roomy = [[_roomy(row[0]), *row[1:]] for row in rows]
    return render_table([*head, *roomy]).text.replace(ROOMY, "").split("\n")


def _roomy(cell: str | Cell) -> str | Cell:
    return f"{cell}{ROOMY}" if isinstance(cell, str) and cell else cell


def priced(count: int = 12) -> list[list[str | Cell]]:
    return [[f"Room {row}", str(40 + row), str(70 + row), str(30 + row)] for row in range(count)]


def test_a_name_over_two_columns_stands_over_both():
    lines = large(["Room", Cell("Summer", columns=2), "Winter"], rows=priced())

    assert lines[0] == "Room | Summer | Winter"
    assert lines[3] == "Room: Room 2 | Summer: 42 | Summer: 72 | Winter: 32"


@pytest.mark.parametrize(
    "groups",
    [
        ["Zone", Cell("Adult", columns=2), Cell("Child", columns=2)],
        ["Zone", "Adult", "", "Child", ""],
        [Cell("Zone", rows=2), Cell("Adult", columns=2), Cell("Child", columns=2)],
    ],
)
def test_two_rows_of_names(groups: list[str | Cell]):
    parts: list[str | Cell] = ["Single", "Return"] * 2
    below = parts if isinstance(groups[0], Cell) else ["", *parts]
    rows: list[list[str | Cell]] = [[f"Zone {n}", f"{n}", "5", "1", "2"] for n in range(12)]

    lines = large(groups, below, rows=rows)

    assert lines[1] == (
        "Zone: Zone 0 | Adult / Single: 0 | Adult / Return: 5 | Child / Single: 1 | "
        "Child / Return: 2"
    )


def test_names_below_a_title_and_a_preamble():
    lines = large(
        ["Statement", "", "", ""],
        ["Customer", "4711", "", ""],
        ["", "", "", ""],
        ["Room", "May", "June", "July"],
        rows=priced(),
    )

    assert lines[:3] == ["Statement", "Customer | 4711", "Room | May | June | July"]
    assert lines[3] == "Room: Room 0 | May: 40 | June: 70 | July: 30"


def test_years_are_names_of_columns():
    rows: list[list[str | Cell]] = [[f"Shop {n}", str(100 + n), str(7 * n)] for n in range(12)]

    assert large(["Shop", "2024", "2025"], rows=rows)[2] == "Shop: Shop 1 | 2024: 101 | 2025: 7"


def test_years_below_years_are_no_names():
    rows: list[list[str | Cell]] = [[f"Act {n}", str(1990 + n), str(2000 + n)] for n in range(12)]

    assert large(["Act", "1989", "1999"], rows=rows)[1] == "Act 0 | 1990 | 2000"


@pytest.mark.parametrize(
    "rows",
    [
        [["Colour", "red"], ["Weight", "5 kg"], ["Height", "10"], ["Voltage", "230 V"]] * 4,
        [[f"Ann {n}", "Oslo", "sales"] for n in range(16)],
        [[f"E-{n}", f"B{n}", f"Fault {n}"] for n in range(16)],
        [[str(n), str(n * n), str(n + 5)] for n in range(16)],
        [["yes", "yes", "no"] for _ in range(16)],
    ],
)
def test_nothing_is_labelled_where_no_row_is_sure_to_name_the_columns(
    rows: list[list[str | Cell]],
):
    assert not [line for line in large(rows=rows) if ": " in line]


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (["Room", "01.05.2026", "01.06.2026", "01.07.2026"], "01.05.2026: 41 | 01.06.2026: 71"),
        (["Room", "1 kg", "2 kg", "5 kg"], "1 kg: 41 | 2 kg: 71"),
        (["Room", "Phone", "Phone", "Fax"], "Phone: 41 | Phone: 71"),
        (["", "May", "June", "July"], "May: 41 | June: 71"),
    ],
)
def test_names_of_many_kinds(head: list[str | Cell], line: str):
    assert line in large(head, rows=priced(18))[2]


def test_a_bold_row_names_the_columns_of_words():
    rows: list[list[str | Cell]] = [[f"Question {n}", "answer"] for n in range(16)]
    bold: list[str | Cell] = [Cell("Asked", strong=True), Cell("Said", strong=True)]

    assert large(bold, rows=rows)[1] == "Asked: Question 0 | Said: answer"
    assert large(["Asked", "Said"], rows=rows)[1] == "Question 0 | answer"


def test_a_note_and_the_name_of_a_section_are_no_values():
    rows = priced()
    rows[5:5] = [["Sea side", "", "", ""], [Cell("Hill side", columns=4)]]

    lines = large(["Room", "May", "June", "July"], rows=rows)

    assert lines[6:8] == ["Sea side", "Hill side"]


def test_what_is_merged_down_stands_in_each_row():
    rows: list[list[str | Cell]] = []
    for north in range(6):
        name = Cell(f"North {north}{ROOMY}", rows=2)
        rows += [[name, "City", "4"], [Cell("Cargo"), "7"]]

    lines = large(["Region", "Model", "Price"], rows=rows)

    assert lines[3:5] == [
        "Region: North 1 | Model: City | Price: 4",
        "Region: North 1 | Model: Cargo | Price: 7",
    ]


def test_a_second_table_on_a_sheet_has_its_own_names():
    blank: list[str | Cell] = ["", "", "", ""]
    staff: list[list[str | Cell]] = [["Name", "Age", "", ""], ["Ann", "41", "", ""]]

    lines = large(["Room", "May", "June", "July"], rows=[*priced(), blank, *staff])

    assert lines[-2:] == ["Name | Age", "Name: Ann | Age: 41"]


def test_a_blank_row_between_rows_changes_nothing():
    blank: list[str | Cell] = ["", "", "", ""]
    rows = priced()

    lines = large(["Room", "May", "June", "July"], rows=[*rows[:6], blank, *rows[6:]])

    assert lines[-1] == "Room: Room 11 | May: 51 | June: 81 | July: 41"


def test_a_small_table_says_which_line_names_its_columns():
    table = render_table([["Plan", "Price", "Seats"], ["Basic", "10", "2"]])

    assert (table.text, table.columns) == (
        "Plan | Price | Seats\nBasic | 10 | 2",
        "Plan | Price | Seats",
    )


def test_columns_far_out_cost_nothing():
    grid = lay_out([["Code", "Price", *[""] * 16_000], ["E-1", "5", *[""] * 16_000, "x"]])

    assert [len(row) for row in grid] == [3, 3]


def test_spans_beyond_the_table_are_cut():
    rows: list[list[str | Cell]] = [[Cell("a", rows=65_534, columns=1_000), "b"], ["c"]]

    assert sum(len(row) for row in lay_out(rows)) < 300


@given(
    rows=st.lists(
        st.lists(
            st.builds(
                Cell,
                st.sampled_from(["", "Name", "12", "2024", "2025", "5 kg", "a b", "x" * 90]),
                st.integers(0, 4),
                st.integers(0, 4),
                st.booleans(),
                st.none() | st.integers(0, 6),
            ),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_no_text_of_any_table_is_lost(rows: list[list[Cell]]):
    if any(cell.column is not None for row in rows for cell in row):
        render_table(rows)
        return
    text = render_table(rows).text

    assert all(cell.text in text for row in rows for cell in row)


@pytest.mark.parametrize(
    "values",
    [
        ["(1,200)", "-300", "1,500"],
        ["10 euros", "30 euros", "50 euros"],
        ["2 minutes", "5 minutes"],
    ],
)
def test_signs_and_units_leave_figures_of_one_kind(values: list[str]):
    rows = [["Month", "Profit"], *([f"Month {at}", value] for at, value in enumerate(values))]

    assert render_table(rows).columns == "Month | Profit"
