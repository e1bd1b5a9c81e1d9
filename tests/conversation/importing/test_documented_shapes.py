"""Every platform's documented shape: words come in, and every other field is named and counted."""

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest

from conversation.importing.platforms.known import left_on_page, records_of, taken
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

PLACE = RecordPlace("support", "calls.json", "calls.json", agent_speakers=("channel agent",))
STRANGE = "zz_tomorrow"


def one(content: object, place: RecordPlace = PLACE) -> Taken:
    (record,) = records_of(content)
    found = taken(record, place)
    return Taken(found.transcript, found.left_out + left_on_page(content))


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


WRONG: tuple[Any, ...] = (True, 987_654, 0.125, "zz odd", ["zz"], {"zz": 1})
"""What may stand where something else belongs."""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_value_of_another_kind_is_taken_refused_or_named(sample: Sample):
    """It never looks as if nothing had stood there, wherever something is taken."""
    before = _outcome(sample.record)
    silent: list[str] = []
    for path, key in _fields(sample.record):
        record = copy.deepcopy(sample.record)
        right = _at(record, path).pop(key)
        without = _outcome(record)
        if without == before or any(isinstance(each, str) for each in without):
            continue
        for wrong in WRONG:
            if _is_alike(wrong, right, key):
                continue
            _at(record, path)[key] = wrong
            found = _outcome(record)
            if found == without and not _counted(found) - _counted(before):
                silent.append(f"{'.'.join(map(str, path))}.{key} = {wrong!r}")
    assert not silent, silent


def _outcome(content: object) -> list[object]:
    """What becomes of each record: a conversation and what is left out, or why it is refused."""
    found: list[object] = [left_on_page(content)]
    for record in records_of(content):
        try:
            one_of_them = taken(record, PLACE)
            found.append((one_of_them.transcript, one_of_them.left_out))
        except RecordError as error:
            found.append(str(error))
    return found


def _is_alike(wrong: object, right: object, key: str) -> bool:
    """Whether both are of one kind; an id may be a number or a text."""
    if isinstance(wrong, bool) or isinstance(right, bool):
        return isinstance(right, bool) and isinstance(wrong, bool)
    if isinstance(wrong, int) and key.casefold().endswith("id"):
        return True
    numbers = isinstance(wrong, int | float) and isinstance(right, int | float)
    return numbers or type(wrong) is type(right)


def _counted(outcome: list[object]) -> Counter[str]:
    """All that is left out; a refusal is said too."""
    found: Counter[str] = Counter()
    for each in outcome:
        if isinstance(each, str):
            found["refused"] += 1
        else:
            found += each[1] if isinstance(each, tuple) else cast(Counter[str], each)
    return found


def _fields(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, str]]:
    for holder in _mappings(value, path):
        for key in _at(value, holder):
            yield holder, key


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
