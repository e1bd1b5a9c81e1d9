"""What OpenAI keeps: chat messages, Responses, threads of Assistants, Realtime events.

Documented shapes: messages (`role`, `content` as text or parts, `refusal`, `audio.transcript`,
`tool_calls`), also with the `choices` that answered them; Responses and Conversations (`input`,
`output` or `data` of items: messages, `*_call` of any tool and its `*_call_output`); threads,
listed newest first with `created_at`, also with the steps of their runs, which hold the tools.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from conversation.importing.platforms.fields import (
    id_at,
    list_at,
    mapping_at,
    moment_at,
    number_at,
    text_at,
)
from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    answered_call,
    content_id,
    conversation_of,
    has_list,
    lonely_results,
    mapping,
    mappings,
    oldest_first,
    seconds,
    text_of,
    with_calls,
    written,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import RecordError, roles_of
from conversation.importing.times import is_offset
from conversation.transcript import ToolCall, Turn

_UNIQUE_IDS = ("thread_", "resp_", "chatcmpl-", "conv_", "sess_")
"""Ids that begin so are unique on the platform; any other one belongs to its file."""
_LISTS = ("messages", "input", "output", "data", "items", "history", "run_steps", "steps")
_PAGES = ("data", "items", "history")
_START_KEYS = ("created_at", "created", "started_at", "startedAt", "createdAt")
_TIME_KEYS = ("created_at", "timestamp", "time", "createdAt")
"""Of an entry: a moment, or seconds from the start."""
_END_KEYS = ("ended_at", "endedAt", "completed_at")


def read_messages(record: Record, place: RecordPlace) -> Taken:
    """The conversation that messages or items of any of these interfaces are."""
    lists = _lists(record, left_out := Counter[str]())
    entries = _in_order(lists)
    if not _is_order_told(entries) and any(has_list(record, key) for key in ("data", "items")):
        left_out["openai: items whose order nothing tells"] += len(entries)
    by_name = _keys_by_name(entries)
    results = _results(entries, by_name)
    turns: list[Turn] = []
    calls: list[tuple[int, ToolCall]] = []
    begun = _begun(record, entries)
    for entry in entries:
        calls += [(len(turns), call) for call in _calls(entry, results, by_name)]
        turn = _turn(entry, begun)
        unheard = _parts_without_words(entry)
        left_out.update(f"openai: parts of type {kind}" for kind in unheard)
        if turn is not None:
            turns.append(turn)
        elif not unheard and (kind := _kind_left_out(entry)) is not None:
            told(entry)
            left_out[f"openai: {kind}"] += 1
    called = [call.tool_call_id for _, call in calls]
    asked_by_name = [by_name.get(id(each), "") for each in entries if "function_call" in each]
    left_out += lonely_results(results, [*called, *asked_by_name], "openai")
    source_id = id_at(record, "id", "conversation_id") or _thread_of(entries)
    transcript = conversation_of(
        with_calls(turns, calls),
        source="openai",
        source_id=source_id or content_id(turns, place.where),
        scope="" if source_id.startswith(_UNIQUE_IDS) else place.file_name if source_id else "",
        agent_id=place.agent_id,
        started_at=begun,
        ended_at=moment_at(record, *_END_KEYS),
        metadata={"user_id": id_at(record, "user_id", "user")},
    )
    return Taken(transcript, left_out)


def _lists(record: Record, left_out: Counter[str]) -> list[list[Record]]:
    """What stands in a record, list by list, whichever interface it comes from."""
    given = record.get("input")
    found: list[list[Record]] = []
    if isinstance(given, str):
        found.append([{"role": "user", "content": given}])
    found += [
        _listed(record, key) for key in _LISTS if key != "input" or not isinstance(given, str)
    ]
    choices = list_at(record, "choices")
    if choices:
        found.append([mapping_at(choices[0], "message")])
        told(choices[1:])
        left_out["openai: answers that were not chosen"] += len(choices) - 1
    return [entries for entries in found if entries]


def _listed(record: Record, key: str) -> list[Record]:
    """The entries under a key: a list, or a page of one as the platform answers it."""
    page = mapping(record.get(key))
    return list_at(page, "data") if page else list_at(record, key)


def _in_order(lists: Sequence[Sequence[Record]]) -> list[Record]:
    """Oldest first. Lists of the platform are newest first; without times only tools tell."""
    entries = [entry for each in lists for entry in each]
    times = [_moment_of(entry) for entry in entries]
    if None not in times:
        dated = zip(cast(list[datetime], times), entries, strict=True)
        # The steps of a run before the message that they lead to.
        return [
            entry for _, entry in sorted(dated, key=lambda each: (each[0], not _is_step(each[1])))
        ]
    if len(lists) == 1 and _is_backwards(entries):
        return entries[::-1]
    return oldest_first(entries, lambda entry: number_at(entry, *_offset_keys(entry)))


def _is_order_told(entries: Sequence[Record]) -> bool:
    """Whether times, or a call and its result, say which entry came first."""
    return (
        len(entries) < 2
        or all(_moment_of(entry) is not None for entry in entries)
        or (any(map(_ids_of_calls, entries)) and any(map(_id_of_result, entries)))
    )


def _is_backwards(entries: Sequence[Record]) -> bool:
    """Whether every result of a tool stands before the call that it answers."""
    called = {call_id: at for at, entry in enumerate(entries) for call_id in _ids_of_calls(entry)}
    answered = {
        call_id: at for at, entry in enumerate(entries) if (call_id := _id_of_result(entry))
    }
    both = called.keys() & answered.keys()
    return bool(both) and all(answered[call_id] < called[call_id] for call_id in both)


def _ids_of_calls(entry: Record) -> list[str]:
    if _is_call(entry):
        return [id_at(entry, "call_id")]
    return [id_at(call, "id") for call in mappings(entry, "tool_calls")]


def _thread_of(entries: Sequence[Record]) -> str:
    """The thread that messages name; empty when they name none.

    Raises:
        RecordError: They are of several threads, which are several conversations.
    """
    named = {found for entry in entries if (found := id_at(entry, "thread_id"))}
    if len(named) > 1:
        raise RecordError(
            f"it holds messages of {len(named)} threads; put those of each into a record of its own"
        )
    return next(iter(named), "")


def _turn(entry: Record, begun: datetime | None) -> Turn | None:
    name = text_at(entry, "role")
    if not name or name.startswith(("tool", "function")):
        return None
    role = roles_of([name, "user", "agent"]).get(name)
    text = _said(entry)
    if role is None or not text:
        return None
    at = _moment_of(entry)
    offset_s = number_at(entry, *_offset_keys(entry))
    if at is not None and begun is not None:
        offset_s = (at - begun).total_seconds()
    return Turn(
        role=role, text=text, offset_s=seconds(offset_s), interrupted=_is_cut(entry, role=role)
    )


def _said(entry: Record) -> str:
    """The words of a message; what a model refused or spoke stands beside its empty content."""
    key = "content" if "content" in entry else "message"
    words = _words(entry.get(key)) if has_list(entry, key) else text_at(entry, key)
    return words or text_at(entry, "refusal") or text_at(mapping_at(entry, "audio"), "transcript")


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
        fields = mapping(part)
        # A part of a thread holds {value, annotations} where others hold the text.
        held = mapping(fields.get("text"))
        found.append(text_at(held, "value") or text_at(fields, "refusal") if held else "")
        found.append("" if held else text_at(fields, "text", "transcript", "refusal"))
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


def _calls(
    entry: Record, results: Mapping[str, object], by_name: Mapping[int, str]
) -> list[ToolCall]:
    if _is_call(entry):
        return [_call_of_item(entry, results)]
    if _is_step(entry):
        return _calls_of_step(entry)
    found: list[ToolCall] = []
    for call in mappings(entry, "tool_calls"):
        function = mapping_at(call, "function", "custom")
        call_id = id_at(call, "id")
        given = function.get("arguments", function.get("input"))
        found.append(answered_call(call_id, text_at(function, "name"), given, results.get(call_id)))
    if old := mapping_at(entry, "function_call"):
        name = text_at(old, "name")
        result = results.get(by_name.get(id(entry), name))
        found.append(answered_call(name, name, old.get("arguments"), result))
    return found


def _call_of_item(entry: Record, results: Mapping[str, object]) -> ToolCall:
    call_id = id_at(entry, "call_id", "id")
    name = text_at(entry, "name") or text_of(entry.get("type")).removesuffix("_call")
    result = results.get(call_id, entry.get("output", entry.get("results")))
    if result is None:
        result = entry.get("outputs")
    failed = entry.get("status") == "failed" or bool(entry.get("error"))
    return answered_call(call_id, name, _asked(entry), result, is_error=failed)


def _calls_of_step(entry: Record) -> list[ToolCall]:
    """What the step of a run used: each call holds its result, under a key of its kind."""
    found: list[ToolCall] = []
    for call in mappings(mapping_at(entry, "step_details"), "tool_calls"):
        kind = text_at(call, "type")
        used = mapping_at(call, kind)
        given = used.get("arguments", used.get("input"))
        result = used.get("output", used.get("outputs", used.get("results")))
        failed = entry.get("status") == "failed"
        name = text_at(used, "name") or kind
        found.append(answered_call(id_at(call, "id"), name, given, result, is_error=failed))
    return found


def _asked(entry: Record) -> object:
    """What a tool was asked for; the platform's own tools have keys of their own for it."""
    for key in ("arguments", "input", "action", "queries", "code"):
        if key in entry:
            return entry[key]
    return None


def _is_step(entry: Record) -> bool:
    return entry.get("object") == "thread.run.step"


def _keys_by_name(entries: Sequence[Record]) -> dict[int, str]:
    """Old calls and results of functions name each other alone: the second goes to the second."""
    found: dict[int, str] = {}
    called, answered = Counter[str](), Counter[str]()
    for entry in entries:
        if old := mapping_at(entry, "function_call"):
            found[id(entry)] = f"{text_at(old, 'name')} {called[text_at(old, 'name')]}"
            called[text_at(old, "name")] += 1
        elif entry.get("role") == "function":
            found[id(entry)] = f"{text_at(entry, 'name')} {answered[text_at(entry, 'name')]}"
            answered[text_at(entry, "name")] += 1
    return found


def _results(entries: Sequence[Record], by_name: Mapping[int, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for entry in entries:
        call_id = by_name.get(id(entry), "") or _id_of_result(entry)
        if call_id and call_id not in found and "function_call" not in entry:
            is_item = _is_result(entry)
            found[call_id] = (
                _output(entry.get("output")) if is_item else _output(entry.get("content"))
            )
    return found


def _id_of_result(entry: Record) -> str:
    if _is_result(entry):
        return id_at(entry, "call_id")
    if entry.get("role") in ("tool", "function"):
        return id_at(entry, "tool_call_id") or text_at(entry, "name")
    return ""


def _output(value: object) -> str:
    """What a tool gave: text, parts with text, or anything else as JSON."""
    parts = cast(list[object], value) if isinstance(value, list) else []
    return _words(parts) or written(cast(object, value))


def _kind_left_out(entry: Record) -> str | None:
    """What an entry was of which nothing is taken; None for calls and their results."""
    role, kind = text_of(entry.get("role")), text_of(entry.get("type"))
    if _is_step(entry):
        return None if kind == "tool_calls" else f"steps of type {kind or '?'}"
    if role in ("system", "developer"):
        return f"messages of role {role}"
    if role in ("tool", "function") or entry.get("tool_calls"):
        return None
    if _is_call(entry) or _is_result(entry) or "function_call" in entry:
        return None
    return f"{kind or 'messages'} without words"


def _begun(record: Record, entries: Sequence[Record]) -> datetime | None:
    """When the record says that it began, or what was said first where that was earlier."""
    said = (_moment_of(entry) for entry in entries)
    moments = (moment_at(record, *_START_KEYS), next((at for at in said if at is not None), None))
    return min((at for at in moments if at is not None), default=None)


def _moment_of(entry: Record) -> datetime | None:
    return moment_at(entry, *(key for key in _TIME_KEYS if not is_offset(entry.get(key))))


def _offset_keys(entry: Record) -> list[str]:
    return [key for key in _TIME_KEYS if is_offset(entry.get(key))]


def _recognises(record: Record) -> bool:
    if any(has_list(record, key) for key in ("messages", "output", "choices")):
        return True
    holders = (*((record, key) for key in _PAGES), (mapping(record.get("messages")), "data"))
    holder, key = next((each for each in holders if has_list(*each)), (record, "data"))
    return has_list(holder, key) and any(
        _is_entry(mapping(entry)) for entry in cast(list[object], holder[key])
    )


def _is_entry(entry: Record) -> bool:
    return "role" in entry or _is_call(entry) or _is_result(entry) or _is_step(entry)


_REPEATED = frozenset({"object", "status", "first_id", "last_id", "model"})
_OF_ENTRIES = frozenset(
    {"type", "object", "id", "status", "tool_calls.type", "content.type", "itemId"}
    | {"thread_id", "step_details.type", "step_details.tool_calls.type"}
)

OPENAI = Platform(
    "openai",
    _recognises,
    read_messages,
    said_twice=_REPEATED
    | {
        f"{key}.{inner}"
        for key in (*_LISTS, "messages.data", "run_steps.data", "steps.data")
        for inner in _OF_ENTRIES
    }
    | {"choices.index", "choices.finish_reason"},
)
