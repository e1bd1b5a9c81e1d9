import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.dictionary.schema import Column, Table, literal, quoted
from analysis.warehouse.parquet import DaysWriter, ParquetWriter, opened, read_rows

THINGS = Table(
    "things",
    "What is written here.",
    (
        Column("name", "VARCHAR", "Any text."),
        Column("amount", "DOUBLE", "Any number."),
        Column("said", "STRUCT(turn_index INTEGER, quote VARCHAR)[]", "Nested."),
    ),
)
DAILY = Table(
    "daily",
    "What is written day by day.",
    (
        Column("day", "DATE", "Its day."),
        Column("said", "VARCHAR", "Any text."),
        Column("place", "INTEGER", "Among all rows."),
    ),
)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def written(folder: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    target = folder / "things.parquet"
    with ParquetWriter(folder / "staging", {"things": target}, [THINGS]) as writer:
        writer.add("things", rows)
        writer.commit()
    assert not (folder / "staging").exists()
    return read_rows(target)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.none() | STORABLE,
                "amount": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "said": st.lists(
                    st.fixed_dictionaries(
                        {"turn_index": st.integers(0, 2**31 - 1), "quote": STORABLE}
                    ),
                    max_size=3,
                ),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_rows_come_back_as_they_were_added(rows: list[dict[str, Any]]):
    with tempfile.TemporaryDirectory() as folder:
        assert written(Path(folder), rows) == rows


def test_a_table_that_got_no_row_loses_its_file(tmp_path: Path):
    assert written(tmp_path, [{"name": "a"}])
    assert written(tmp_path, []) == []
    assert not (tmp_path / "things.parquet").exists()


def test_an_error_before_commit_leaves_the_file_as_it_was(tmp_path: Path):
    before = written(tmp_path, [{"name": "a"}])
    target = tmp_path / "things.parquet"

    def broken() -> Any:
        yield {"name": "b"}
        raise RuntimeError("the store went away")

    with (
        pytest.raises(RuntimeError, match="went away"),
        ParquetWriter(tmp_path / "staging", {"things": target}, [THINGS]) as writer,
    ):
        writer.add("things", broken())
    assert read_rows(target) == before
    assert not (tmp_path / "staging").exists()


def test_a_turn_may_be_longer_than_sixteen_megabytes(tmp_path: Path):
    [row] = written(tmp_path, [{"name": "x" * (17 * 2**20)}])
    assert len(row["name"]) == 17 * 2**20


def test_names_and_texts_cannot_leave_their_quotes():
    assert quoted('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"


def test_a_number_that_no_integer_column_could_hold_is_kept(tmp_path: Path):
    [row] = written(tmp_path, [{"name": "many", "amount": 10**30}])
    assert row["amount"] == 1e30


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), STORABLE), max_size=300),
    st.sets(st.integers(1, 4), min_size=1),
)
def test_days_that_are_written_together_hold_what_each_would_alone(
    said: list[tuple[int, str]], days: set[int]
):
    rows = [
        {"day": f"2026-03-0{day}", "said": text, "place": place}
        for place, (day, text) in enumerate(sorted(said, key=lambda each: each[0]))
        if day in days
    ]
    with tempfile.TemporaryDirectory() as folder, opened() as connection:
        wanted = [date(2026, 3, day) for day in sorted(days)]
        files = {day: Path(folder) / f"{day}.parquet" for day in wanted}
        for path in files.values():
            path.touch()  # of an earlier time
        staging = Path(folder) / "staging"
        with DaysWriter(
            staging, lambda _table, day: files[day], [DAILY], wanted, connection=connection
        ) as writer:
            writer.add("daily", rows[:7])
            writer.add("daily", rows[7:])
            writer.commit()
        for day, path in files.items():
            found = [(row["place"], row["said"]) for row in read_rows(path)]
            assert found == [
                (row["place"], row["said"]) for row in rows if row["day"] == day.isoformat()
            ]
            assert path.exists() == bool(found)
            assert writer.row_counts(day) == {"daily": len(found)}
