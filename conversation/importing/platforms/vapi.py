"""Calls and chats of Vapi: `messages` or `artifact.messages`, also in an end-of-call report.

Documented shape: messages have the role `user`, `bot`, `system`, `tool_calls` or
`tool_call_result`, `message` or `result`, `time` (a Unix time in ms) and `secondsFromStart`. A chat
has an `input` (a text or a list) and an `output`, after the `messages` of what came before.
"""

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
    with_calls,
)
from conversation.importing.platforms.seen import told
from conversation.importing.times import moment
from conversation.transcript import ToolCall, Turn

_SILENT = frozenset({"system"})
_CALLS = ("toolCalls", "tool_calls")
"""Calls of tools; chats write them as OpenAI does."""
_MARKS = ("endedReason", "assistantId", "assistant", "artifact", "orgId")


def _read(record: Record, place: RecordPlace) -> Taken:
    call = mapping(record.get("call"))
    artifact = mapping(record.get("artifact"))
    holder = record if has_entries(record, "messages") else artifact
    if holder is record:
        told(artifact.get("messages"))
    messages = [*mappings(holder, "messages"), *_of_chat(record)]
    results = {_call_id(m): m for m in messages if _is_result(m)}
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    for message in messages:
        name = text_of(message.get("role"))
        text = text_of(message.get("message", message.get("content")))
        asks = any(has_entries(message, key) for key in _CALLS)
        if asks:
            calls += [(len(turns), each) for each in _calls(message, results)]
            # The role says that it is a call: whoever asks for a tool is the agent.
            name = "agent"
        elif name in _SILENT or _is_result(message):
            if name in _SILENT:
                told(message)
                left_out["vapi: messages of role system"] += bool(text)
            continue
        if text:
            offset_s = seconds(message.get("secondsFromStart"))
            turns.append(Turn(role=role_of(name), text=text, offset_s=offset_s))
        elif not asks:
            told(message)
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
    return Taken(transcript, left_out)


def _of_chat(record: Record) -> list[Record]:
    """What one chat adds to the messages before it."""
    if not has_list(record, "output"):
        return []
    given = record.get("input")
    said: list[Record] = [{"role": "user", "message": given}] if isinstance(given, str) else []
    return [*said, *(mappings(record, "input") if not said else []), *mappings(record, "output")]


def _calls(message: Record, results: dict[str, Record]) -> list[ToolCall]:
    found: list[ToolCall] = []
    for call in [each for key in _CALLS for each in mappings(message, key)]:
        function = mapping(call.get("function"))
        call_id = text_of(call.get("id"))
        answer = results.get(call_id, {})
        result = answer.get("result", answer.get("content"))
        found.append(
            answered_call(call_id, text_of(function.get("name")), function.get("arguments"), result)
        )
    return found


def _is_result(message: Record) -> bool:
    return text_of(message.get("role")) in ("tool_call_result", "tool") and bool(_call_id(message))


def _call_id(message: Record) -> str:
    return text_of(message.get("toolCallId")) or text_of(message.get("tool_call_id"))


def _recognises(record: Record) -> bool:
    holders = (record, mapping(record.get("artifact")))
    spoken = any(has_list(holder, "messages") for holder in holders) or has_list(record, "output")
    return spoken and any(mark in record for mark in _MARKS)


_LISTS = ("messages", "artifact.messages", "input", "output")
_OF_MESSAGES = ("time", "name", "toolCalls.type", "tool_calls.type")

VAPI = Platform(
    "vapi",
    _recognises,
    _read,
    said_twice=frozenset({"transcript", "status", "type", "updatedAt", "artifact.transcript"})
    | {"artifact.messagesOpenAIFormatted"}
    | {f"{key}.{inner}" for key in _LISTS for inner in _OF_MESSAGES},
)
