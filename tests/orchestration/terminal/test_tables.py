from collections import Counter

from conversation.importing.files import ImportReport
from orchestration.terminal.rows import import_summary
from orchestration.terminal.tables import markdown_table, text_table


def test_text_columns_are_aligned_and_numbers_stand_to_the_right():
    table = text_table(["name", "chars"], [["a.md", 1200], ["long-name.md", 7]])

    assert table.splitlines() == [
        "name          chars",
        "------------  -----",
        "a.md          1,200",
        "long-name.md      7",
    ]


def test_a_table_without_rows_is_its_header():
    assert text_table(["a", "b"], []) == "a  b\n-  -"


def test_a_cell_can_neither_move_the_cursor_nor_break_out_of_markdown():
    attack = "x\x1b[2J\n| <script> [a](b)"

    assert "\x1b" not in text_table(["a"], [[attack]])
    assert markdown_table(["a"], [[attack]]).splitlines()[2] == (
        "| x \\[2J \\| \\<script\\> \\[a\\](b) |"
    )


def test_an_import_names_the_option_where_a_column_was_left_out():
    told = import_summary(ImportReport(left_out=Counter({"csv.who asked": 4, "vtt.note": 1})))
    assert told.splitlines()[1:] == [
        "Left out: csv.who asked (4), vtt.note (1).",
        "Where a column means a user or a moment, say so: --map 'user=who asked'",
    ]
    assert "--map" not in import_summary(ImportReport(left_out=Counter({"vtt.note": 1})))
    dated = Counter({"csv.born (dates)": 4, "csv.asked": 4})
    assert import_summary(ImportReport(left_out=dated)).endswith("--map time=born --map user=asked")
