"""Calls of Vapi: `messages` or `artifact.messages`, as a record or in an end-of-call report."""

from collections import Counter

from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    answered_call,
    content_id,
    conversation_of,
    has_entries,
    has_list,
    lonely_results,
    mapping,
    mappings,
    role_of,
    seconds,
    text_of,
    unread,
    with_calls,
)
from conversation.importing.times import moment
from conversation.transcript import ToolCall, Turn

_READ = frozenset(
    {
        "id", "messages", "artifact", "transcript", "startedAt", "createdAt", "endedAt", "call",
        "endedReason", "assistantId", "customer", "status", "type", "timestamp", "updatedAt",
    }
)  # fmt: skip
_ARTIFACT_READ = frozenset({"messages", "messagesOpenAIFormatted", "transcript"})
_SILENT = frozenset({"system"})
_MARKS = ("endedReason", "assistantId", "assistant", "artifact", "orgId")


def _read(record: Record, place: RecordPlace) -> Taken:
    call = mapping(record.get("call"))
    artifact = mapping(record.get("artifact"))
    holder = record if has_entries(record, "messages") else artifact
    messages = mappings(holder, "messages")
    results = {text_of(m.get("toolCallId")): m for m in messages if _is_result(m)}
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    for message in messages:
        name = text_of(message.get("role"))
        text = text_of(message.get("message", message.get("content")))
        if has_entries(message, "toolCalls"):
            calls += [(len(turns), each) for each in _calls(message, results)]
            # The role says that it is a call: whoever asks for a tool is the agent.
            name = "agent"
        elif name in _SILENT or _is_result(message):
            left_out["vapi: messages of role system"] += name in _SILENT and bool(text)
            continue
        if text:
            offset_s = seconds(message.get("secondsFromStart"))
            turns.append(Turn(role=role_of(name), text=text, offset_s=offset_s))
        elif not has_entries(message, "toolCalls"):
            left_out[f"vapi: messages of role {name or '?'} without words"] += 1
    customer = mapping(record.get("customer") or call.get("customer"))
    source_id = text_of(record.get("id")) or text_of(call.get("id"))
    transcript = conversation_of(
        with_calls(turns, calls),
        source="vapi",
        source_id=source_id or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=moment(record.get("startedAt") or call.get("startedAt"), "startedAt")
        or moment(record.get("createdAt"), "createdAt"),
        ended_at=moment(record.get("endedAt") or call.get("endedAt"), "endedAt"),
        end_reason=text_of(record.get("endedReason") or call.get("endedReason")) or None,
        metadata={
            "source_agent_id": text_of(record.get("assistantId") or call.get("assistantId")),
            "user_id": text_of(customer.get("number") or customer.get("id")),
        },
    )
    left_out += lonely_results(results, (call.tool_call_id for _, call in calls), "vapi")
    left_out += unread(artifact, _ARTIFACT_READ, platform="vapi.artifact")
    return Taken(transcript, left_out + unread(record, _READ, platform="vapi"))


def _calls(message: Record, results: dict[str, Record]) -> list[ToolCall]:
    found: list[ToolCall] = []
    for call in mappings(message, "toolCalls"):
        function = mapping(call.get("function"))
        call_id = text_of(call.get("id"))
        result = results.get(call_id, {}).get("result")
        found.append(
            answered_call(call_id, text_of(function.get("name")), function.get("arguments"), result)
        )
    return found


def _is_result(message: Record) -> bool:
    return text_of(message.get("role")) in ("tool_call_result", "tool") and "toolCallId" in message


def _recognises(record: Record) -> bool:
    holders = (record, mapping(record.get("artifact")))
    return any(has_list(holder, "messages") for holder in holders) and any(
        mark in record for mark in _MARKS
    )


VAPI = Platform("vapi", _recognises, _read)
