"""Calls and chats of Retell, also inside its `{event, call}` webhooks.

Documented shape: entries have the role `agent`, `user`, `transfer_target`, `tool_call_invocation`,
`tool_call_result` (with `successful`), `node_transition`, `dtmf`, `sms` (from the user, while the
call goes on) or `injected` (context that nobody says).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

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
from conversation.transcript import Role, ToolCall, Turn

_SILENT = frozenset({"injected", "node_transition"})
_LISTS = (
    "transcript_with_tool_calls", "transcript_object", "message_with_tool_calls",
    "scrubbed_transcript_with_tool_calls",
)  # fmt: skip


def _read(record: Record, place: RecordPlace) -> Taken:
    # Some records have an empty list beside the one with the words.
    keys = sorted(_LISTS, key=lambda key: not has_entries(record, key))
    taken = next(key for key in keys if has_list(record, key))
    entries = mappings(record, taken)
    for other in keys:
        if other != taken:
            # The same words, with or without what tools did.
            told(record.get(other))
    results = {
        text_of(entry.get("tool_call_id")): entry
        for entry in entries
        if entry.get("role") == "tool_call_result"
    }
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    begun = moment(record.get("start_timestamp"), "start_timestamp") or next(
        (at for entry in entries if (at := _written_at(entry)) is not None), None
    )
    for entry in entries:
        name = text_of(entry.get("role"))
        if name == "tool_call_invocation":
            call_id = text_of(entry.get("tool_call_id"))
            tool = text_of(entry.get("name"))
            result = results.get(call_id, {})
            call = answered_call(
                call_id,
                tool,
                entry.get("arguments"),
                result.get("content"),
                is_error=result.get("successful") is False,
            )
            calls.append((len(turns), call))
        elif name in _SILENT:
            told(entry)
            left_out[f"retell: entries of role {name}"] += 1
        elif name == "tool_call_result":
            continue
        elif text := text_of(entry.get("content")):
            turns.append(Turn(role=_role(name), text=text, offset_s=_offset_s(entry, begun)))
        else:
            told(entry)
            left_out[f"retell: entries of role {name or '?'} without words"] += 1
    left_out += lonely_results(results, (call.tool_call_id for _, call in calls), "retell")
    dynamic = mapping(record.get("retell_llm_dynamic_variables"))
    transcript = conversation_of(
        with_calls(turns, calls),
        source="retell",
        source_id=text_of(record.get("call_id") or record.get("chat_id"))
        or content_id(turns, place.where),
        agent_id=place.agent_id,
        started_at=begun,
        ended_at=moment(record.get("end_timestamp"), "end_timestamp"),
        end_reason=text_of(record.get("disconnection_reason")) or None,
        metadata={
            "source_agent_id": text_of(record.get("agent_id")),
            "user_id": text_of(dynamic.get("user_id")) or text_of(record.get("from_number")),
            "transferred": "yes" if _was_transferred(entries) else "",
        },
    )
    return Taken(transcript, left_out)


def _role(name: str) -> Role:
    # Whom a call is transferred to speaks for the side that was called; only users send messages.
    if name == "transfer_target":
        return "agent"
    return "user" if name == "sms" else role_of(name)


def _was_transferred(entries: Sequence[Record]) -> bool:
    return any(entry.get("role") == "transfer_target" for entry in entries)


def _offset_s(entry: Record, begun: datetime | None) -> float | None:
    words = mappings(entry, "words")
    if words:
        told(entry["words"])
        return seconds(words[0].get("start"))
    if (offset_s := seconds(entry.get("time_sec"))) is not None:
        return offset_s
    at = _written_at(entry)
    return None if at is None or begun is None else seconds((at - begun).total_seconds())


def _written_at(entry: Record) -> datetime | None:
    """When a message of a chat was written; calls have the times of words instead."""
    return moment(entry.get("created_timestamp"), "created_timestamp")


RETELL = Platform(
    "retell",
    lambda record: any(has_list(record, key) for key in _LISTS),
    _read,
    said_twice=frozenset({"transcript", "call_status", "chat_status", "duration_ms"}),
)
