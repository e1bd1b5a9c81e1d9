"""Values as people say them, in a table: what is right is supported, what is wrong never is.

`right` is the value that the words say: `-` where they say none that could be claimed, `?` where
they can mean two things. `wrong` is a value that one could mistake them for. Every other row was
held out: written before the reader, and looked at only when its figure had been taken.
"""

import csv
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from analysis.fields.claims import Claim, Finding, check_claim
from conversation.agent.criteria import DataCollectionField, FieldType
from conversation.transcript import Turn

MONDAY = date(2026, 11, 23)
TABLE = Path(__file__).with_name("values.tsv")
NOT_READ = {"once personas"}
"""Two words, and the first is an English one as well: without a sentence around it, unsupported."""


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def claimed(row: dict[str, str], value: str) -> Finding:
    kind = cast("FieldType", row["type"])
    field = DataCollectionField(field_id="n", type=kind, description="What")
    raw = {"integer": int, "number": float}.get(kind, str)(value)
    return check_claim(field, Claim(0, raw), [Turn(role="user", text=row["said"])], today=MONDAY)


def named(row: dict[str, str]) -> str:
    return f"{row['said']}: {row['right']}, not {row['wrong']}"


@pytest.mark.parametrize("row", rows(), ids=named)
def test_what_is_wrong_is_never_supported(row: dict[str, str]):
    assert claimed(row, row["wrong"]).status != "supported"


@pytest.mark.parametrize(
    "row",
    [row for row in rows() if row["right"] not in "-?" and row["said"] not in NOT_READ],
    ids=named,
)
def test_what_is_right_is_supported(row: dict[str, str]):
    found = claimed(row, row["right"])

    assert found.status == "supported"
    assert found.evidence[0].quote in row["said"]


@pytest.mark.parametrize("row", [row for row in rows() if row["right"] == "?"], ids=named)
def test_what_can_mean_two_things_contradicts_nothing(row: dict[str, str]):
    assert claimed(row, row["wrong"]).status == "unsupported"
