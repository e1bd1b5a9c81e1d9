"""What OpenAI keeps: chat messages, Responses, threads of Assistants, Realtime events.

Documented shapes: messages (`role`, `content` as text or parts, `refusal`, `audio.transcript`,
`tool_calls`), also with the `choices` that answered them; Responses and Conversations (`input`,
`output` or `data` of items: messages, `*_call` of any tool and its `*_call_output`); threads,
listed newest first with `created_at`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
    with_calls,
    written,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import roles_of
from conversation.importing.times import moment
from conversation.transcript import ToolCall, Turn

_UNIQUE_IDS = ("thread_", "resp_", "chatcmpl-", "conv_", "sess_")
"""Ids that begin so are unique on the platform; any other one belongs to its file."""
_START_KEYS = ("created_at", "created", "started_at", "startedAt", "createdAt")
_END_KEYS = ("ended_at", "endedAt", "completed_at")


def read_messages(record: Record, place: RecordPlace) -> Taken:
    """The conversation that messages or items of any of these interfaces are."""
    entries = _in_order(_entries(record, left_out := Counter[str]()))
    results = _results(entries)
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    begun = next((at for entry in entries if (at := _moment_of(entry)) is not None), None)
    for entry in entries:
        calls += [(len(turns), call) for call in _calls(entry, results)]
        turn = _turn(entry, begun)
        unheard = _parts_without_words(entry)
        left_out.update(f"openai: parts of type {kind}" for kind in unheard)
        if turn is not None:
            turns.append(turn)
        elif not unheard and (kind := _kind_left_out(entry)) is not None:
            told(entry)
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
    return Taken(transcript, left_out)


def _entries(record: Record, left_out: Counter[str]) -> list[Record]:
    """What stands in a record, whichever interface it comes from."""
    found: list[Record] = []
    given = record.get("input")
    if isinstance(given, str):
        found.append({"role": "user", "content": given})
    for key in ("messages", "input", "output", "data", "items"):
        if has_list(record, key):
            found += mappings(record, key)
    choices = mappings(record, "choices")
    if choices:
        found.append(mapping(choices[0].get("message")))
        told(choices[1:])
        left_out["openai: answers that were not chosen"] += len(choices) - 1
    return found


def _in_order(entries: Sequence[Record]) -> list[Record]:
    """Oldest first. Lists of the platform are newest first; without times only tools tell."""
    times = [_moment_of(entry) for entry in entries]
    if any(time is None for time in times):
        return list(reversed(entries) if _is_backwards(entries) else entries)
    dated = zip(cast(list[datetime], times), entries, strict=True)
    return [entry for _, entry in sorted(dated, key=lambda each: each[0])]


def _is_backwards(entries: Sequence[Record]) -> bool:
    """Whether every result of a tool stands before the call that it answers."""
    called = {call_id: at for at, entry in enumerate(entries) for call_id in _ids_of_calls(entry)}
    answered = {call_id: at for at, entry in enumerate(entries) for call_id in _results([entry])}
    both = called.keys() & answered.keys()
    return bool(both) and all(answered[call_id] < called[call_id] for call_id in both)


def _ids_of_calls(entry: Record) -> list[str]:
    if _is_call(entry):
        return [text_of(entry.get("call_id"))]
    return [text_of(call.get("id")) for call in mappings(entry, "tool_calls")]


def _turn(entry: Record, begun: datetime | None) -> Turn | None:
    name = text_of(entry.get("role"))
    if not name or name.startswith(("tool", "function")):
        return None
    role = roles_of([name, "user", "agent"]).get(name)
    text = _said(entry)
    if role is None or not text:
        return None
    at = _moment_of(entry)
    offset_s = (at - begun).total_seconds() if at is not None and begun is not None else None
    return Turn(
        role=role, text=text, offset_s=seconds(offset_s), interrupted=_is_cut(entry, role=role)
    )


def _said(entry: Record) -> str:
    """The words of a message; what a model refused or spoke stands beside its empty content."""
    return (
        _words(entry.get("content", entry.get("message")))
        or text_of(entry.get("refusal"))
        or text_of(mapping(entry.get("audio")).get("transcript"))
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
    found: list[str] = []
    for part in cast(list[object], parts):
        if (kind := text_of(mapping(part).get("type"))) and not _words([part]):
            told(part)
            found.append(kind)
    return found


def _is_call(entry: Record) -> bool:
    """Whether an item is a use of a tool: `function_call`, `mcp_call`, `web_search_call`, ..."""
    kind = text_of(entry.get("type"))
    return kind.endswith("_call")


def _is_result(entry: Record) -> bool:
    return text_of(entry.get("type")).endswith("_call_output")


def _calls(entry: Record, results: Mapping[str, object]) -> list[ToolCall]:
    if _is_call(entry):
        call_id = text_of(entry.get("call_id")) or text_of(entry.get("id"))
        name = text_of(entry.get("name")) or text_of(entry.get("type")).removesuffix("_call")
        result = results.get(call_id, entry.get("output", entry.get("results")))
        if result is None:
            result = entry.get("outputs")
        failed = text_of(entry.get("status")) == "failed" or bool(entry.get("error"))
        return [answered_call(call_id, name, _asked(entry), result, is_error=failed)]
    found: list[ToolCall] = []
    for call in mappings(entry, "tool_calls"):
        function = mapping(call.get("function") or call.get("custom"))
        call_id = text_of(call.get("id"))
        name = text_of(function.get("name"))
        given = function.get("arguments", function.get("input"))
        found.append(answered_call(call_id, name, given, results.get(call_id)))
    if old := mapping(entry.get("function_call")):
        name = text_of(old.get("name"))
        found.append(answered_call(name, name, old.get("arguments"), results.get(name)))
    return found


def _asked(entry: Record) -> object:
    """What a tool was asked for; the platform's own tools have keys of their own for it."""
    for key in ("arguments", "input", "action", "queries", "code"):
        if key in entry:
            return entry[key]
    return None


def _results(entries: Sequence[Record]) -> dict[str, object]:
    found: dict[str, object] = {}
    for entry in entries:
        if _is_result(entry):
            call_id = text_of(entry.get("call_id"))
            if call_id not in found:
                found[call_id] = _output(entry.get("output"))
        elif entry.get("role") in ("tool", "function"):
            call_id = text_of(entry.get("tool_call_id") or entry.get("name"))
            if call_id not in found:
                found[call_id] = _words(entry.get("content"))
    return found


def _output(value: object) -> str:
    """What a tool gave: text, parts with text, or anything else as JSON."""
    parts = cast(list[object], value) if isinstance(value, list) else []
    return _words(parts) or written(cast(object, value))


def _kind_left_out(entry: Record) -> str | None:
    """What an entry was of which nothing is taken; None for calls and their results."""
    role, kind = text_of(entry.get("role")), text_of(entry.get("type"))
    if role in ("system", "developer"):
        return f"messages of role {role}"
    if role in ("tool", "function") or entry.get("tool_calls"):
        return None
    if _is_call(entry) or _is_result(entry) or "function_call" in entry:
        return None
    return f"{kind or 'messages'} without words"


def _moment_of(entry: Record) -> datetime | None:
    return _first_moment(entry, ("created_at", "timestamp", "time", "createdAt"))


def _first_moment(record: Record, keys: Sequence[str]) -> datetime | None:
    return next((at for key in keys if (at := moment(record.get(key), key)) is not None), None)


def _recognises(record: Record) -> bool:
    if any(has_list(record, key) for key in ("messages", "output", "choices")):
        return True
    listed = record.get("data", record.get("items"))
    return isinstance(listed, list) and any(
        {"role", "call_id"} & mapping(entry).keys() for entry in cast(list[object], listed)
    )


_REPEATED = frozenset({"object", "status", "first_id", "last_id", "model"})
_OF_ENTRIES = frozenset({"type", "object", "id", "status", "tool_calls.type", "content.type"})

OPENAI = Platform(
    "openai",
    _recognises,
    read_messages,
    said_twice=_REPEATED
    | {
        f"{key}.{inner}"
        for key in ("messages", "input", "output", "data", "items")
        for inner in _OF_ENTRIES
    }
    | {"choices.index", "choices.finish_reason"},
)
