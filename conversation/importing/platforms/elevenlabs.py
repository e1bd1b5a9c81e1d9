"""Conversations of ElevenLabs Agents: the REST record, and the post-call webhook around it.

The webhook that this server posts has the same form. Documented shape: `transcript` is a list of
entries with `role`, `message`, `time_in_call_secs`, `tool_calls`, `tool_results`, and in newer ones
`interrupted`, `original_message`; `metadata` says when the call began and how long it was.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from conversation.importing.platforms.fields import (
    flag_at,
    id_at,
    mapping_at,
    moment_at,
    number_at,
    require_ended,
    text_at,
    variables_at,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    content_id,
    conversation_of,
    has_list,
    json_mapping,
    lonely_results,
    mappings,
    oldest_first,
    role_of,
    written,
)
from conversation.importing.platforms.seen import glance
from conversation.transcript import ToolCall, Turn


def _read(record: Record, place: RecordPlace) -> Taken:
    require_ended(record, "status", ("initiated", "in-progress"))
    entries = oldest_first(
        mappings(record, "transcript"), lambda entry: glance(entry, "time_in_call_secs")
    )
    metadata = mapping_at(record, "metadata")
    results = {
        id_at(result, "request_id"): result
        for entry in entries
        for result in mappings(entry, "tool_results")
    }
    turns = _joined([turn for entry in entries if (turn := _turn(entry, results)) is not None])
    called = [call.tool_call_id for turn in turns for call in turn.tool_calls]
    started_at = moment_at(metadata, "start_time_unix_secs")
    duration_s = number_at(metadata, "call_duration_secs")
    given = mapping_at(record, "conversation_initiation_client_data")
    transcript = conversation_of(
        turns,
        source="elevenlabs",
        source_id=id_at(record, "conversation_id") or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=duration_s)
        if started_at is not None and duration_s is not None
        else None,
        end_reason=text_at(metadata, "termination_reason") or None,
        metadata={
            "source_agent_id": id_at(record, "agent_id"),
            "user_id": id_at(record, "user_id") or id_at(given, "user_id"),
            "language": text_at(metadata, "main_language"),
        },
        variables=variables_at(given, "dynamic_variables"),
    )
    return Taken(
        transcript,
        lonely_results(results, called, "elevenlabs") + _wordless(entries),
    )


def _turn(entry: Record, results: dict[str, Record]) -> Turn | None:
    name = text_at(entry, "role")
    text = text_at(entry, "message")
    calls = tuple(_call(call, results) for call in mappings(entry, "tool_calls"))
    if not text and not calls:
        return None
    generated = text_at(entry, "original_message")
    return Turn(
        role=role_of(name),
        text=text,
        offset_s=number_at(entry, "time_in_call_secs"),
        interrupted=flag_at(entry, "interrupted") or False,
        generated_text=generated if generated and generated != text else None,
        tool_calls=calls,
    )


def _wordless(entries: Sequence[Record]) -> Counter[str]:
    """Entries of which nothing is taken, such as a file that was sent without a message."""
    return Counter(
        "elevenlabs: entries without words"
        for entry in entries
        if not text_at(entry, "message")
        and not mappings(entry, "tool_calls")
        and not mappings(entry, "tool_results")
    )


def _joined(turns: list[Turn]) -> list[Turn]:
    """Calls that stand in an entry of their own belong to the words that the agent says next."""
    found: list[Turn] = []
    for turn in turns:
        before = found[-1] if found else None
        if before is not None and not before.text and before.role == turn.role == "agent":
            calls = (*before.tool_calls, *turn.tool_calls)
            found[-1] = turn.model_copy(update={"tool_calls": calls})
        else:
            found.append(turn)
    return found


def _call(call: Record, results: dict[str, Record]) -> ToolCall:
    """A call with its result, which real exports keep in a later entry."""
    call_id = id_at(call, "request_id")
    result = results.get(call_id, {})
    latency_s = number_at(result, "tool_latency_secs")
    return ToolCall(
        tool_name=text_at(call, "tool_name") or "unnamed",
        tool_call_id=call_id,
        parameters=json_mapping(call.get("params_as_json")),
        result=_result(result),
        is_error=flag_at(result, "is_error") or False,
        latency_ms=latency_s * 1_000 if latency_s is not None else None,
    )


def _result(result: Record) -> str | None:
    value = result.get("result_value")
    return None if value is None else written(value).strip() or None


ELEVENLABS = Platform(
    "elevenlabs",
    lambda record: has_list(record, "transcript"),
    _read,
    said_twice=frozenset(
        {"status", "has_audio", "transcript.tool_results.tool_name", "transcript.tool_calls.type"}
    ),
)
