from datetime import date, datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from analysis.errors import ExportError
from analysis.query import excel
from analysis.query.excel import write_excel


def written(path: Path, rows: list[tuple[object, ...]], title: str = "calls") -> CalamineWorkbook:
    batches = [rows, []]
    assert write_excel(path, ["a", "b", "c"], lambda: batches.pop(0), title) == len(rows)
    return CalamineWorkbook.from_path(path)


def test_types_arrive_and_what_was_said_is_never_a_formula(tmp_path: Path):
    moment = datetime(2026, 3, 1, 10, 0)  # noqa: DTZ001 - Excel knows no time zones
    rows = [
        ("=HYPERLINK('http://x.example')", 1.5, moment),
        ("http://x.example", True, date(2026, 3, 2)),
        (None, 7, ["a", 1]),
    ]
    workbook = written(tmp_path / "calls.xlsx", rows, "calls: all/some")
    assert workbook.sheet_names == ["calls  all some"]
    found = workbook.get_sheet_by_index(0).to_python()
    assert found[0] == ["a", "b", "c"]
    assert found[1] == ["=HYPERLINK('http://x.example')", 1.5, moment]
    assert found[2][:2] == ["http://x.example", True]
    assert found[3] == ["", 7.0, "['a', 1]"]


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(excel, "MAX_ROWS", 2)
    with pytest.raises(ExportError, match="holds 2 rows"):
        write_excel(tmp_path / "x.xlsx", ["a"], lambda: [(1,), (2,), (3,)], "x")
