"""Calls and chats of Vapi: `messages` or `artifact.messages`, also in an end-of-call report.

Documented shape: messages have the role `user`, `bot`, `system`, `tool_calls` or
`tool_call_result`, `message` or `result`, `time` (a Unix time in ms) and `secondsFromStart`. A chat
has an `input` (a text or a list) and an `output`, after the `messages` of what came before.
"""

from collections import Counter
from datetime import datetime
from typing import cast

from conversation.importing.platforms.fields import (
    id_at,
    list_at,
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
    answered_call,
    content_id,
    conversation_of,
    has_entries,
    has_list,
    lonely_results,
    mapping,
    mappings,
    oldest_first,
    role_of,
    text_of,
    with_calls,
)
from conversation.importing.platforms.seen import glance, told, unusable
from conversation.importing.roles import RecordError
from conversation.transcript import ToolCall, Turn

_SILENT = frozenset({"system"})
_CALLS = ("toolCalls", "tool_calls")
"""Calls of tools; chats write them as OpenAI does."""
_OPENAI_FORM = "messagesOpenAIFormatted"
_GOING = ("scheduled", "queued", "ringing", "in-progress", "forwarding")
_FIRST_MOMENT_MS = 1e11
"""1973; smaller numbers are no moments."""
_OWN_ROLES = ("bot", "tool_calls", "tool_call_result")
_MARKS = ("endedReason", "assistantId", "assistant", "artifact", "orgId")


def _read(record: Record, place: RecordPlace) -> Taken:
    _refuse_events(record)
    require_ended(record, "status", _GOING, "endedAt")
    call = mapping_at(record, "call")
    spoken = oldest_first(_spoken(record, mapping_at(record, "artifact")), _time)
    messages = [*spoken, *_of_chat(record)]
    started_at = (
        moment_at(record, "startedAt")
        or moment_at(call, "startedAt")
        or moment_at(record, "createdAt")
    )
    results = {_call_id(m): m for m in messages if _is_result(m)}
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    for message in messages:
        name = text_at(message, "role")
        text = text_at(message, "message", "content")
        asks = any([bool(list_at(message, key)) for key in _CALLS])
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
            offset_s = _offset_s(message, started_at)
            turns.append(Turn(role=role_of(name), text=text, offset_s=offset_s))
        elif not asks:
            told(message)
            left_out[f"vapi: messages of role {name or '?'} without words"] += 1
    customer = mapping_at(record, "customer") or mapping_at(call, "customer")
    source_id = id_at(record, "id") or id_at(call, "id")
    assistant = id_at(record, "assistantId") or id_at(call, "assistantId")
    transcript = conversation_of(
        with_calls(turns, calls),
        source="vapi",
        source_id=source_id or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=started_at,
        ended_at=moment_at(record, "endedAt") or moment_at(call, "endedAt"),
        end_reason=text_at(record, "endedReason") or text_at(call, "endedReason") or None,
        metadata={
            "source_agent_id": assistant or id_at(mapping_at(record, "assistant"), "id"),
            "user_id": id_at(customer, "number", "id"),
        },
        variables=variables_at(call, "assistantOverrides", "variableValues")
        | variables_at(record, "assistantOverrides", "variableValues"),
    )
    left_out += lonely_results(results, (call.tool_call_id for _, call in calls), "vapi")
    return Taken(transcript, left_out)


def _refuse_events(record: Record) -> None:
    """Only the report at the end holds the whole call.

    Raises:
        RecordError: It is an event of a call that goes on.
    """
    event = record.get("type")
    if isinstance(event, str) and "call" in record and event != "end-of-call-report":
        raise RecordError(
            f"it is the event {event!r} of a call that goes on. What was said is taken from the "
            "`end-of-call-report` of that call"
        )


def _spoken(record: Record, artifact: Record) -> list[Record]:
    """The messages, from whichever list holds some; the others repeat them."""
    found: list[Record] = []
    for holder, key in ((record, "messages"), (artifact, "messages"), (artifact, _OPENAI_FORM)):
        if has_entries(holder, key):
            if found:
                told(holder[key])
            else:
                found = mappings(holder, key)
        elif not has_list(holder, key):
            unusable(holder, key, "list")
    return found


def _time(message: Record) -> object:
    """Where in the call it was said; a system prompt stands before everything."""
    if text_of(glance(message, "role")) in _SILENT:
        return None
    at_s = glance(message, "secondsFromStart")
    return glance(message, "time") if at_s is None else at_s


def _offset_s(message: Record, started_at: datetime | None) -> float | None:
    """Seconds from the start of the call; chats have only the moments of messages, if any."""
    offset_s = number_at(message, "secondsFromStart")
    if offset_s is not None or started_at is None:
        return offset_s
    at_ms = number_at(message, "time")
    if at_ms is None or at_ms < _FIRST_MOMENT_MS:
        return None
    return max(0.0, at_ms / 1_000 - started_at.timestamp())


def _of_chat(record: Record) -> list[Record]:
    """What one chat adds to the messages before it."""
    given = record.get("input")
    said: list[Record] = [{"role": "user", "message": given}] if isinstance(given, str) else []
    return [*said, *([] if said else list_at(record, "input")), *list_at(record, "output")]


def _calls(message: Record, results: dict[str, Record]) -> list[ToolCall]:
    found: list[ToolCall] = []
    for call in [each for key in _CALLS for each in list_at(message, key)]:
        function = mapping_at(call, "function")
        call_id = id_at(call, "id")
        answer = results.get(call_id, {})
        error = answer.get("error")
        result = answer.get("result", answer.get("content")) or error
        name = text_at(function, "name")
        found.append(
            answered_call(call_id, name, function.get("arguments"), result, is_error=bool(error))
        )
    return found


def _is_result(message: Record) -> bool:
    return message.get("role") in ("tool_call_result", "tool") and bool(_call_id(message))


def _call_id(message: Record) -> str:
    return id_at(message, "toolCallId", "tool_call_id")


def _recognises(record: Record) -> bool:
    artifact = mapping(record.get("artifact"))
    spoken = any(
        has_list(holder, key) for holder in (record, artifact) for key in ("messages", _OPENAI_FORM)
    )
    is_event = "type" in record and isinstance(record.get("call"), dict)
    return (
        is_event
        or ((spoken or has_list(record, "output")) and any(mark in record for mark in _MARKS))
        or _holds_own_messages(record)
    )


def _holds_own_messages(record: Record) -> bool:
    """Whether messages are such as no other platform writes, whatever stands around the list."""
    listed = record.get("messages")
    messages = map(mapping, cast("list[object]", listed) if isinstance(listed, list) else [])
    return any(text_of(message.get("role")) in _OWN_ROLES for message in messages)


_LISTS = ("messages", "artifact.messages", f"artifact.{_OPENAI_FORM}", "input", "output")
_OF_MESSAGES = ("time", "name", "toolCalls.type", "tool_calls.type")

VAPI = Platform(
    "vapi",
    _recognises,
    _read,
    said_twice=frozenset({"transcript", "status", "type", "updatedAt", "artifact.transcript"})
    | {f"{key}.{inner}" for key in _LISTS for inner in _OF_MESSAGES},
)
