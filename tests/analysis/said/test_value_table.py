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

from analysis.fields.claims import CheckedClaim, Claim, check_claim
from conversation.agent.criteria import DataCollectionField, FieldType
from conversation.transcript import Turn

MONDAY = date(2026, 11, 23)
TABLE = Path(__file__).with_name("values.tsv")
NOT_READ = {"once personas"}
"""Two words, and the first is an English one as well: without a sentence around it, unsupported."""


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def claimed(row: dict[str, str], value: str) -> CheckedClaim:
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


@pytest.mark.parametrize(
    ("kind", "said", "answer", "rationale"),
    [
        ("date", "03/04/2026", "2026-04-03", "can mean 2026-03-04 or 2026-04-03"),
        ("date", "03/04/2026", "03/04/2026", "can mean 2026-03-04 or 2026-04-03"),
        ("date", "next Friday", "next Friday", "can mean 2026-11-27 or 2026-12-04"),
        ("time", "half past eight", "20:30", "can mean 08:30:00 or 20:30:00"),
        ("number", "two fifty", "2.5", "can mean 250 or 2.5"),
        (
            "datetime",
            "tomorrow at nine o'clock",
            "2026-11-24T09:00",
            "can mean 2026-11-24T09:00:00 or 2026-11-24T21:00:00",
        ),
    ],
)
def test_both_readings_are_told(kind: FieldType, said: str, answer: str, rationale: str):
    field = DataCollectionField(field_id="n", type=kind, description="What")
    raw = float(answer) if kind == "number" else answer

    found = check_claim(field, Claim(0, raw), [Turn(role="user", text=said)], today=MONDAY)

    assert found.status == "ambiguous"
    assert found.value is None
    assert rationale in (found.rationale or "")
    assert [each.quote for each in found.evidence] == [said]


def test_what_the_words_tell_settles_an_answer_that_does_not():
    field = DataCollectionField(field_id="at", type="time", description="When")
    turns = [Turn(role="user", text="At 3:30 in the afternoon.")]

    assert check_claim(field, Claim(0, "3:30"), turns).value == "15:30:00"
