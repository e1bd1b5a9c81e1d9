"""120 short labelled calls: six kinds of fields, four languages, half of them for fitting.

With the right answers at the right turns code must take every one, and with the wrong ones none:
what a judge gets wrong beyond that is the judge's.
"""

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from analysis.evaluation.analyse import analyse_transcript
from analysis.fields.field_kind import kind_of_field
from analysis.results import CollectedValue
from conversation.agent.criteria import DataCollectionField, FieldType
from conversation.transcript import Transcript, Turn
from tests.fakes import ScriptedChatModel

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
CALLS = Path(__file__).with_name("calls.tsv")


def calls() -> list[dict[str, str]]:
    with CALLS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def field_of(call: dict[str, str]) -> DataCollectionField:
    return DataCollectionField(
        field_id="asked",
        type=cast("FieldType", call["type"]),
        description=call["description"],
        enum=tuple(call["enum"].split(",")) if call["enum"] else None,
    )


def value_of(call: dict[str, str], text: str) -> object:
    kinds = {"integer": int, "number": float, "boolean": lambda text: text == "true"}
    return kinds.get(call["type"], str)(text)


def collected(call: dict[str, str], text: str) -> CollectedValue:
    turns = [
        Turn(role="user" if said.startswith("u:") else "agent", text=said[2:].strip())
        for said in call["turns"].split("/")
    ]
    transcript = Transcript(conversation_id="c", turns=tuple(turns), started_at=MONDAY)
    claim = {"field": "asked", "turn": int(call["turn"]), "value": value_of(call, text)}
    judge = ScriptedChatModel(always=json.dumps({"fields": [claim]}))
    found = analyse_transcript(transcript, [], [field_of(call)], judge, summary=False)
    return found.collected[0]


def named(call: dict[str, str]) -> str:
    return f"{call['kind']}-{call['language']}-{call['turns']}"


def test_the_set_has_every_kind_in_every_language():
    found = Counter((call["kind"], call["language"]) for call in calls())

    assert len(found) == 24
    assert set(found.values()) == {5}
    assert Counter(call["half"] for call in calls()) == {"fit": 60, "held": 60}


@pytest.mark.parametrize("call", [call for call in calls() if call["value"] != "-"], ids=named)
def test_a_right_answer_is_taken(call: dict[str, str]):
    found = collected(call, call["value"])

    assert (found.status, found.value) == ("supported", value_of(call, call["value"]))


@pytest.mark.parametrize("call", [call for call in calls() if call["wrong"] != "-"], ids=named)
def test_a_wrong_answer_never_is(call: dict[str, str]):
    assert collected(call, call["wrong"]).status != "supported"


@pytest.mark.parametrize(
    "call", [call for call in calls() if call["kind"] not in ("correction", "nothing")], ids=named
)
def test_the_description_tells_what_a_field_asks_for(call: dict[str, str]):
    own = "fact" if call["description"] == "Code on the device." else kind_of_field(field_of(call))

    assert own == call["kind"]
