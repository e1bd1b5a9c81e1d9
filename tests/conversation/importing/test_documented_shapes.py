"""Every platform's documented shape: words come in, and every other field is named and counted."""

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest

from conversation.importing.platforms.known import records_of, taken
from conversation.importing.platforms.record import RecordPlace, Taken
from conversation.importing.roles import RecordError
from tests.conversation.importing.documented import (
    OPENAI_REALTIME,
    RETELL,
    SAMPLES,
    TWILIO_MESSAGES,
    ZENDESK,
    Sample,
)

PLACE = RecordPlace("support", "calls.json", "calls.json")
STRANGE = "zz_tomorrow"


def one(content: object, place: RecordPlace = PLACE) -> Taken:
    (record,) = records_of(content)
    return taken(record, place)


def said(found: Taken) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in found.transcript.turns if turn.text]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_words_tools_and_what_is_left_out(sample: Sample):
    found = one(sample.record)

    assert said(found) == sample.said
    assert (
        tuple(
            (call.tool_name, call.result, call.is_error)
            for turn in found.transcript.turns
            for call in turn.tool_calls
        )
        == sample.calls
    )
    assert set(sample.counted) <= found.left_out.keys()
    assert all(number > 0 for number in found.left_out.values())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_field_that_nobody_knows_is_named_wherever_it_stands(sample: Sample):
    before = one(sample.record)
    unnamed: list[str] = []
    for path in _mappings(sample.record):
        record = copy.deepcopy(sample.record)
        _at(record, path)[STRANGE] = "new"
        found = one(record)
        assert said(found) == said(before)
        if not any(STRANGE in name for name in found.left_out):
            unnamed.append(".".join(str(part) for part in path))
    # Nothing is silent: each place that does not name the field lies in something that is counted
    # whole, or is taken whole.
    for path in unnamed:
        assert _is_accounted_for(sample.record, path, before), path


def _mappings(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        yield path
        for key, inner in cast(dict[str, object], value).items():
            yield from _mappings(inner, (*path, key))
    elif isinstance(value, list):
        for at, inner in enumerate(cast(list[object], value)):
            yield from _mappings(inner, (*path, at))


def _at(record: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    for part in path:
        record = record[part]
    return record


def test_a_user_who_interrupts_cuts_the_turn():
    cut = {"type": "conversation.item.truncated", "item_id": "a", "audio_end_ms": 700}

    (_, turn) = one([*OPENAI_REALTIME.record, cut]).transcript.turns

    assert turn.interrupted
    assert not one(OPENAI_REALTIME.record).transcript.turns[-1].interrupted


def test_several_writers_of_unknown_sides_are_asked_for():
    record = copy.deepcopy(ZENDESK.record)
    record["users"] = []
    record["comments"].append({"author_id": 9, "body": "The red one."})

    with pytest.raises(RecordError, match=r"\['8', '9'\].*--agent-speaker"):
        one(record)

    named = RecordPlace("support", agent_speakers=("8",), user_speakers=("9",))
    assert said(one(record, named)) == [*ZENDESK.said, ("user", "The red one.")]


def test_an_author_beside_a_rule_of_the_help_desk_is_the_agent():
    record = copy.deepcopy(ZENDESK.record)
    record["users"] = []
    record["comments"].append({"author_id": -1, "body": "Solved by a rule."})

    assert said(one(record)) == [
        ("user", "Is there green tea?"),
        ("agent", "Twelve tins.\nSolved by a rule."),
    ]


def test_authors_that_no_name_tells_apart_are_asked_for():
    record = copy.deepcopy(TWILIO_MESSAGES.record)
    record["messages"][0]["author"] = "+15550199"

    with pytest.raises(RecordError, match="--agent-speaker"):
        one(record)
    assert said(one(record, RecordPlace("support", agent_speakers=("+15550199",)))) == (
        TWILIO_MESSAGES.said
    )


def test_the_second_of_two_results_is_counted():
    record = copy.deepcopy(RETELL.record)
    entries = record["call"]["transcript_with_tool_calls"]
    entries.append({"role": "tool_call_result", "tool_call_id": "t", "content": "up"})

    found = one(record)

    assert found.left_out["retell.transcript_with_tool_calls.content"] == 1


def test_parameters_that_are_no_mapping_are_kept():
    call = {"id": "t", "function": {"name": "stock", "arguments": '["tea", 2]'}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [call]}]

    assert one(messages).transcript.turns[-1].tool_calls[0].parameters == {"arguments": ["tea", 2]}


def _is_accounted_for(record: Any, path: str, before: Taken) -> bool:
    """Whether removing the entry around a path changes what was said or what is counted."""
    parts: list[str | int] = [int(part) if part.isdigit() else part for part in path.split(".")]
    for depth in range(len(parts), 0, -1):
        without = copy.deepcopy(record)
        holder = without
        for part in parts[: depth - 1]:
            holder = holder[part]
        del holder[parts[depth - 1]]
        try:
            found = one(without)
        except (RecordError, ValueError):
            return True
        if found.left_out != before.left_out or found.transcript != before.transcript:
            return True
    return False
