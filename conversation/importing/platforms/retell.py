"""Calls and chats of Retell, also inside its `{event, call}` webhooks.

Documented shape: entries have the role `agent`, `user`, `transfer_target`, `tool_call_invocation`,
`tool_call_result` (with `successful`), `node_transition`, `dtmf`, `sms` (from the user, while the
call goes on) or `injected` (context that nobody says).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

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
    seconds,
    with_calls,
)
from conversation.importing.platforms.seen import glance, told, unusable
from conversation.transcript import Role, ToolCall, Turn

_SILENT = frozenset({"injected", "node_transition"})
_LISTS = (
    "transcript_with_tool_calls", "transcript_object", "message_with_tool_calls",
    "messages", "scrubbed_transcript_with_tool_calls",
)  # fmt: skip


def _read(record: Record, place: RecordPlace) -> Taken:
    require_ended(record, "call_status", ("registered", "ongoing"), "end_timestamp")
    require_ended(record, "chat_status", ("ongoing",), "end_timestamp")
    # Some records have an empty list beside the one with the words.
    keys = sorted(_LISTS, key=lambda key: not has_entries(record, key))
    taken = next(key for key in keys if has_list(record, key))
    entries = oldest_first(mappings(record, taken), _time)
    for other in keys:
        if not has_list(record, other):
            unusable(record, other, "list")
        elif other != taken and _words_in(record, other) <= _words_in(record, taken):
            # The same words, with or without what tools did; one with more of them is counted.
            told(record.get(other))
    results = {
        id_at(entry, "tool_call_id"): entry
        for entry in entries
        if entry.get("role") == "tool_call_result"
    }
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    begun = moment_at(record, "start_timestamp") or next(
        (at for entry in entries if (at := _written_at(entry)) is not None), None
    )
    for entry in entries:
        name = text_at(entry, "role")
        if name == "tool_call_invocation":
            call_id = id_at(entry, "tool_call_id")
            tool = text_at(entry, "name")
            result = results.get(call_id, {})
            call = answered_call(
                call_id,
                tool,
                entry.get("arguments"),
                result.get("content"),
                is_error=flag_at(result, "successful") is False,
            )
            calls.append((len(turns), call))
        elif name in _SILENT:
            told(entry)
            left_out[f"retell: entries of role {name}"] += 1
        elif name == "tool_call_result":
            continue
        elif text := text_at(entry, "content"):
            turns.append(Turn(role=_role(name), text=text, offset_s=_offset_s(entry, begun)))
        else:
            told(entry)
            left_out[f"retell: entries of role {name or '?'} without words"] += 1
    left_out += lonely_results(results, (call.tool_call_id for _, call in calls), "retell")
    dynamic = mapping_at(record, "retell_llm_dynamic_variables")
    transcript = conversation_of(
        with_calls(turns, calls),
        source="retell",
        source_id=id_at(record, "call_id", "chat_id") or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        ended_at=moment_at(record, "end_timestamp"),
        end_reason=text_at(record, "disconnection_reason") or None,
        metadata={
            "source_agent_id": id_at(record, "agent_id"),
            "user_id": id_at(dynamic, "user_id") or id_at(record, _number_of_user(record)),
            "direction": text_at(record, "direction"),
            "transferred": "yes" if _was_transferred(entries) else "",
        },
        variables=variables_at(record, "retell_llm_dynamic_variables"),
    )
    return Taken(transcript, left_out)


def _role(name: str) -> Role:
    # Whom a call is transferred to speaks for the side that was called; only users send messages.
    if name == "transfer_target":
        return "agent"
    return "user" if name == "sms" else role_of(name)


def _number_of_user(record: Record) -> str:
    """The key of the user's number: of a call that the agent makes, the one that is called."""
    return "to_number" if record.get("direction") == "outbound" else "from_number"


def _words_in(record: Record, key: str) -> int:
    """How many entries of a list say something."""
    return sum(
        isinstance(glance(entry, "content"), str) and "tool" not in str(glance(entry, "role"))
        for entry in (mappings(record, key) if has_list(record, key) else [])
    )


def _was_transferred(entries: Sequence[Record]) -> bool:
    return any(entry.get("role") == "transfer_target" for entry in entries)


def _time(entry: Record) -> object:
    """When it was written, in chats, or the place of its first word in a call."""
    words = glance(entry, "words")
    first = cast("list[object]", words)[0] if isinstance(words, list) and words else None
    times = [glance(mapping(first), "start")]
    times += [glance(entry, key) for key in ("time_sec", "created_timestamp")]
    return next((time for time in times if time is not None), None)


def _offset_s(entry: Record, begun: datetime | None) -> float | None:
    words = mappings(entry, "words")
    if words:
        told(entry["words"])
        return number_at(words[0], "start")
    if (offset_s := number_at(entry, "time_sec")) is not None:
        return offset_s
    at = _written_at(entry)
    return None if at is None or begun is None else seconds((at - begun).total_seconds())


def _written_at(entry: Record) -> datetime | None:
    """When a message of a chat was written; calls have the times of words instead."""
    return moment_at(entry, "created_timestamp")


RETELL = Platform(
    "retell",
    lambda record: (
        any(has_list(record, key) for key in _LISTS if key != "messages")
        or (has_list(record, "messages") and "chat_id" in record)
    ),
    _read,
    said_twice=frozenset({"transcript", "call_status", "chat_status", "duration_ms"}),
)
