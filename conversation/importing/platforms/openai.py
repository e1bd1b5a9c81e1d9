"""What OpenAI keeps: chat messages, Responses, threads of Assistants, Realtime events."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    answered_call,
    content_id,
    conversation_of,
    has_list,
    id_of,
    lonely_results,
    mapping,
    mappings,
    seconds,
    text_of,
    unread,
    with_calls,
    written,
)
from conversation.importing.roles import roles_of
from conversation.importing.times import moment
from conversation.transcript import ToolCall, Turn

_UNIQUE_IDS = ("thread_", "resp_", "chatcmpl-", "conv_", "sess_")
"""Ids that begin so are unique on the platform; any other one belongs to its file."""
_START_KEYS = ("created_at", "created", "started_at", "startedAt", "createdAt")
_END_KEYS = ("ended_at", "endedAt", "completed_at")
_READ = frozenset(
    {
        "id", "conversation_id", "messages", "input", "output", "data", "items", "object", "model",
        "user", "user_id", "instructions", "status", "first_id", "last_id", "has_more",
        *_START_KEYS, *_END_KEYS,
    }
)  # fmt: skip
_CALLS = ("function_call", "mcp_call", "custom_tool_call")
_RESULTS = ("function_call_output", "custom_tool_call_output")


def _read(record: Record, place: RecordPlace) -> Taken:
    entries = _in_order(_entries(record))
    results = _results(entries)
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    left_out: Counter[str] = Counter()
    begun = next((at for entry in entries if (at := _moment_of(entry)) is not None), None)
    for entry in entries:
        calls += [(len(turns), call) for call in _calls(entry, results)]
        turn = _turn(entry, begun)
        unheard = _parts_without_words(entry)
        left_out.update(f"openai: parts of type {kind}" for kind in unheard)
        if turn is not None:
            turns.append(turn)
        elif not unheard and (kind := _kind_left_out(entry)) is not None:
            left_out[f"openai: {kind}"] += 1
    left_out += lonely_results(results, (call.tool_call_id for _, call in calls), "openai")
    source_id = id_of(record.get("id")) or id_of(record.get("conversation_id"))
    started_at = _first_moment(record, _START_KEYS) or begun
    transcript = conversation_of(
        with_calls(turns, calls),
        source="openai",
        source_id=source_id or content_id(turns, place.where),
        scope="" if source_id.startswith(_UNIQUE_IDS) else place.file_name if source_id else "",
        agent_id=place.agent_id,
        started_at=started_at,
        ended_at=_first_moment(record, _END_KEYS),
        metadata={"user_id": text_of(record.get("user_id") or record.get("user"))},
    )
    return Taken(transcript, left_out + unread(record, _READ, platform="openai"))


def _entries(record: Record) -> list[Record]:
    """What stands in a record, whichever interface it comes from."""
    found: list[Record] = []
    given = record.get("input")
    if isinstance(given, str):
        found.append({"role": "user", "content": given})
    for key in ("messages", "input", "output", "data", "items"):
        if has_list(record, key):
            found += mappings(record, key)
    return found


def _in_order(entries: Sequence[Record]) -> list[Record]:
    """Oldest first. Threads are listed newest first; without times the order is kept."""
    times = [_moment_of(entry) for entry in entries]
    if any(time is None for time in times):
        return list(entries)
    dated = zip(cast(list[datetime], times), entries, strict=True)
    return [entry for _, entry in sorted(dated, key=lambda each: each[0])]


def _turn(entry: Record, begun: datetime | None) -> Turn | None:
    name = text_of(entry.get("role"))
    if not name or name.startswith(("tool", "function")):
        return None
    role = roles_of([name, "user", "agent"]).get(name)
    text = _words(entry.get("content", entry.get("message")))
    if role is None or not text:
        return None
    at = _moment_of(entry)
    offset_s = (at - begun).total_seconds() if at is not None and begun is not None else None
    return Turn(
        role=role, text=text, offset_s=seconds(offset_s), interrupted=_is_cut(entry, role=role)
    )


def _is_cut(entry: Record, *, role: str) -> bool:
    return role == "agent" and entry.get("status") == "incomplete"


def _words(value: object) -> str:
    """Text of a message: a string, or the texts and the transcripts of its parts."""
    if not isinstance(value, list):
        return text_of(value)
    found: list[str] = []
    for part in cast(list[object], value):
        if isinstance(part, str):
            found.append(part.strip())
            continue
        text = mapping(part).get("text", mapping(part).get("transcript"))
        # A part of a thread holds {value, annotations} where others hold the text.
        found.append(text_of(mapping(text).get("value", text)))
        found.append(text_of(mapping(part).get("refusal")))
    return " ".join(part for part in found if part)


def _parts_without_words(entry: Record) -> list[str]:
    """The types of a message's parts that are no text, such as pictures and files."""
    parts = entry.get("content")
    if not isinstance(parts, list):
        return []
    return [
        kind
        for part in cast(list[object], parts)
        if (kind := text_of(mapping(part).get("type"))) and not _words([part])
    ]


def _calls(entry: Record, results: dict[str, object]) -> list[ToolCall]:
    if entry.get("type") in _CALLS:
        call_id = text_of(entry.get("call_id") or entry.get("id"))
        name = text_of(entry.get("name"))
        result = results.get(call_id, entry.get("output"))
        return [answered_call(call_id, name, entry.get("arguments", entry.get("input")), result)]
    found: list[ToolCall] = []
    for call in mappings(entry, "tool_calls"):
        function = mapping(call.get("function"))
        call_id = text_of(call.get("id"))
        name = text_of(function.get("name"))
        found.append(answered_call(call_id, name, function.get("arguments"), results.get(call_id)))
    if old := mapping(entry.get("function_call")):
        name = text_of(old.get("name"))
        found.append(answered_call(name, name, old.get("arguments"), results.get(name)))
    return found


def _results(entries: Sequence[Record]) -> dict[str, object]:
    found: dict[str, object] = {}
    for entry in entries:
        if entry.get("type") in _RESULTS:
            found[text_of(entry.get("call_id"))] = written(entry.get("output"))
        elif entry.get("role") in ("tool", "function"):
            call_id = text_of(entry.get("tool_call_id") or entry.get("name"))
            found[call_id] = _words(entry.get("content"))
    return found


def _kind_left_out(entry: Record) -> str | None:
    """What an entry was of which nothing is taken; None for calls and their results."""
    role, kind = text_of(entry.get("role")), text_of(entry.get("type"))
    if role in ("system", "developer"):
        return f"messages of role {role}"
    if role in ("tool", "function") or entry.get("tool_calls"):
        return None
    if kind in (*_CALLS, *_RESULTS) or "function_call" in entry:
        return None
    return f"{kind or 'messages'} without words"


def _moment_of(entry: Record) -> datetime | None:
    return _first_moment(entry, ("created_at", "timestamp", "time", "createdAt"))


def _first_moment(record: Record, keys: Sequence[str]) -> datetime | None:
    return next((at for key in keys if (at := moment(record.get(key), key)) is not None), None)


def _recognises(record: Record) -> bool:
    if has_list(record, "messages") or has_list(record, "output"):
        return True
    listed = record.get("data", record.get("items"))
    return isinstance(listed, list) and any(
        "role" in mapping(entry) for entry in cast(list[object], listed)
    )


OPENAI = Platform("openai", _recognises, _read)

_HEARD = "conversation.item.input_audio_transcription.completed"
_SAID = ("response.audio_transcript.done", "response.output_audio_transcript.done")
_WRITTEN = ("response.text.done", "response.output_text.done")


def _read_events(record: Record, place: RecordPlace) -> Taken:
    """A log of Realtime events becomes the messages that they report, in the order of items."""
    words: dict[str, Record] = {}
    left_out: Counter[str] = Counter()
    for event in mappings(record, "events"):
        kind = text_of(event.get("type"))
        item = mapping(event.get("item"))
        item_id = text_of(event.get("item_id") or item.get("id"))
        if kind in ("conversation.item.created", "conversation.item.added"):
            words.setdefault(item_id, item)
        elif kind == "conversation.item.done" or (
            kind == "response.output_item.done" and item.get("type") == "function_call"
        ):
            _fill(words, item_id, item)
        elif kind == "response.done":
            # Some logs hold of each answer only this, with all that it consists of.
            for part in mappings(mapping(event.get("response")), "output"):
                _fill(words, text_of(part.get("id")), part)
        elif kind == _HEARD:
            words[item_id] = {"role": "user", "content": text_of(event.get("transcript"))}
        elif kind in _SAID or kind in _WRITTEN:
            said = text_of(event.get("transcript") or event.get("text"))
            words[item_id] = {"role": "assistant", "content": said}
        elif kind == "conversation.item.truncated":
            left_out["openai: places at which the user interrupted"] += 1
    sessions = [mapping(event.get("session")) for event in mappings(record, "events")]
    session_id = next((found for one in sessions if (found := text_of(one.get("id")))), "")
    messages = [entry for entry in words.values() if entry]
    taken = _read({"id": session_id, "messages": messages}, place)
    return Taken(taken.transcript, taken.left_out + left_out)


def _fill(words: dict[str, Record], item_id: str, item: Record) -> None:
    """Put an item to where it stands, unless its words are known from an event of their own."""
    known = words.get(item_id, {})
    if not _words(known.get("content")):
        words[item_id] = item


OPENAI_REALTIME = Platform("openai", lambda record: has_list(record, "events"), _read_events)
