"""What a reader of a platform's records is given and gives back, and how fields are taken. Pure."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from conversation.importing.clocks import only_falls
from conversation.importing.lines import SpokenLine, unsaid
from conversation.importing.platforms.seen import told, whole
from conversation.importing.roles import RecordError, roles_of
from conversation.importing.times import check_order
from conversation.importing.written_dates import Order
from conversation.transcript import Role, ToolCall, Transcript, Turn, storable

Record = Mapping[str, Any]
_OWN_ID = re.compile(r"conv_[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record stands, and whose it is."""

    agent_id: str
    """Agent of a record that names none of ours."""
    file_name: str = ""
    where: str = ""
    """File and position in it, for a person; also stands in for an id that a record lacks."""
    agent_speakers: tuple[str, ...] = ()
    user_speakers: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    """Of tables: what a column means, and its name."""
    date_order: Order | None = None
    """What dates of tables and texts begin with, where whoever imports them says so."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One conversation as it goes into the store."""

    transcript: Transcript
    left_out: Counter[str] = field(default_factory=Counter[str])
    """What the record holds and the transcript does not, by kind, with its number."""


def difference(stored: Transcript, read: Transcript) -> str | None:
    """Why a record that is in the store already should be looked at; None where all is there."""
    own = stored.conversation_id
    if _said(stored) != _said(read):
        return (
            f"The store holds a conversation {own} with other words, which was left as it is. Give "
            "this one another id, or forget the old one first."
        )
    lacking = [
        what
        for what, before, now in (
            ("moments", stored.started_at, read.started_at),
            ("user", stored.metadata.get("user_id"), read.metadata.get("user_id")),
        )
        if now and not before
    ]
    if not lacking:
        return None
    return (
        f"The store holds conversation {own} without its {' and '.join(lacking)}; what is there is "
        f"left as it is. To take it in anew: `vivavoce forget --conversation {own}`, and import it "
        "again."
    )


def _said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in transcript.turns]


@dataclass(frozen=True, slots=True)
class Platform:
    """One kind of record. A new one is a file with one of these, named in `known`."""

    name: str
    """Kept as the `source` of its conversations."""
    recognises: Callable[[Record], bool]
    read: Callable[[Record, RecordPlace], Taken]
    """What it asks of the record is taken; all other fields are counted by whoever calls it."""
    said_twice: frozenset[str] = frozenset()
    """Fields that repeat what is taken, as paths such as `messages.name`, so that nobody misses
    them."""


def conversation_of(
    turns: Sequence[Turn],
    *,
    source: str,
    source_id: str,
    agent_id: str,
    scope: str = "",
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    end_reason: str | None = None,
    metadata: Mapping[str, object] | None = None,
    variables: Mapping[str, str | int | float | bool] | None = None,
) -> Transcript:
    """A transcript whose id follows from where it came from, so that it goes in once.

    Args:
        turns: What was said, in order.
        source: The platform or the kind of file.
        source_id: Its id there.
        agent_id: Our agent.
        scope: What the id belongs to when it is not unique on its platform, such as a file's name.
        started_at: In UTC.
        ended_at: In UTC; by default the offset of the last turn after the start.
        end_reason: Why it ended, in the platform's word.
        metadata: More about it; empty values are left away.
        variables: Dynamic variables that it was given.

    Raises:
        RecordError: Nobody says anything, or it ends before it begins.
    """
    if not any(turn.text for turn in turns):
        raise RecordError("nobody says anything in it")
    check_order(started_at, ended_at)
    digest = hashlib.sha256(
        "\x1f".join((source, *((scope,) if scope else ()), source_id)).encode("utf-8", "replace")
    ).hexdigest()
    own = _OWN_ID.fullmatch(source_id) is not None
    last_s = max((turn.offset_s or 0.0 for turn in turns), default=0.0)
    if ended_at is None and started_at is not None:
        ended_at = started_at + timedelta(seconds=last_s)
    more = {key: str(value) for key, value in (metadata or {}).items() if value not in (None, "")}
    return Transcript(
        conversation_id=source_id if own else f"conv_{digest[:24]}",
        agent_id=agent_id,
        turns=tuple(turns),
        started_at=started_at,
        ended_at=ended_at,
        end_reason=end_reason or "imported",
        source=source,
        metadata={"source_id": source_id, **more},
        variables=dict(variables or {}),
    )


def storable_transcript(transcript: Transcript) -> tuple[Transcript, Counter[str]]:
    """`transcript` without what databases refuse, and how many of its texts that changed.

    JSON may hold zero characters and halves of surrogate pairs, which are no characters.
    """
    try:
        is_storable = "\\u0000" not in transcript.model_dump_json()
    except ValueError:
        is_storable = False
    if is_storable:
        return transcript, Counter()
    changed: Counter[str] = Counter()
    name = f"{transcript.source}: texts with characters that are none"
    fields = _storable(transcript.model_dump(), changed, name)
    return Transcript.model_validate(fields), changed


def _storable(value: Any, changed: Counter[str], name: str) -> Any:
    if isinstance(value, str):
        kept = storable(value)
        changed[name] += kept != value
        return kept
    if isinstance(value, dict):
        fields = cast(dict[Any, Any], value)
        return {
            _storable(key, changed, name): _storable(inner, changed, name)
            for key, inner in fields.items()
        }
    if isinstance(value, list | tuple):
        return [_storable(inner, changed, name) for inner in cast(Sequence[Any], value)]
    return value


def content_id(turns: Sequence[Turn], where: str) -> str:
    """Names a record without an id of its own by its place and words."""
    said = json.dumps([[turn.role, turn.text] for turn in turns])
    return f"{where}#{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def joined_by(
    events: Sequence[Record],
    id_of_event: Callable[[Record], str],
    key: str,
    *,
    around: Sequence[str] = (),
) -> list[Record]:
    """Events that hold pieces of conversations as one record a conversation.

    Args:
        events: In the order in which they came.
        id_of_event: Says to which conversation an event belongs.
        key: Of the list in each event whose entries are put together.
        around: Keys that say what kind of event it is, and nothing of the conversation.

    Returns:
        The first event of each conversation with the entries of all of them. What another one says
        otherwise stands under `other_events`, so that it can be counted.
    """
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        fields = {name: value for name, value in event.items() if name not in (key, *around)}
        one = found.setdefault(id_of_event(event), {key: [], **fields, "other_events": []})
        others = {name: value for name, value in fields.items() if one.get(name) != value}
        if isinstance(event.get(key), list):
            one[key] += event[key]
        elif key in event:
            others[key] = event[key]
        one["other_events"] += [others] if others else []
    return list(found.values())


def lonely_results(
    results: Mapping[str, object], called: Iterable[str], platform: str
) -> Counter[str]:
    """Results of tools whose call the record does not hold, counted."""
    without = results.keys() - set(called)
    for call_id in without:
        told(results[call_id])
    return Counter({f"{platform}: tool results without a call": len(without)} if without else {})


def lines_left_out(platform: str, lines: Iterable[SpokenLine], place: RecordPlace) -> Counter[str]:
    """The lines that nobody says to anybody, such as those of an IVR, counted."""
    found = unsaid(lines, place.agent_speakers, place.user_speakers)
    return Counter({f"{platform}: {what}": number for what, number in found.items()})


def oldest_first(entries: Sequence[Record], time_of: Callable[[Record], object]) -> list[Record]:
    """The entries, turned round where their times only ever fall: such a list is newest first.

    Args:
        entries: As the record lists them.
        time_of: What stands for the time of one, if anything; only numbers count.
    """
    times = [
        float(time)
        for time in map(time_of, entries)
        if isinstance(time, int | float) and not isinstance(time, bool)
    ]
    return [*reversed(entries)] if only_falls(times) else [*entries]


def with_calls(turns: Sequence[Turn], calls: Iterable[tuple[int, ToolCall]]) -> tuple[Turn, ...]:
    """Tool calls put to the agent turn that follows them, or else to the last one before.

    Args:
        turns: What was said.
        calls: Each with the number of turns that stood before it.
    """
    found = list(turns)
    for before, call in calls:
        after = next((at for at in range(before, len(found)) if found[at].role == "agent"), None)
        earlier = (at for at in range(min(before, len(found)) - 1, -1, -1))
        at = after if after is not None else next((a for a in earlier if _is_agent(found[a])), None)
        if at is None:
            found.append(Turn(role="agent", text="", tool_calls=(call,)))
        else:
            turn = found[at]
            found[at] = turn.model_copy(update={"tool_calls": (*turn.tool_calls, call)})
    return tuple(found)


def answered_call(
    call_id: str, name: str, parameters: object, result: object, *, is_error: bool = False
) -> ToolCall:
    """A tool call with what came back for it; `result` is None when nothing did."""
    return ToolCall(
        tool_name=name or "unnamed",
        tool_call_id=call_id,
        parameters=json_mapping(parameters),
        result=None if result is None else written(result) or None,
        is_error=is_error,
    )


def written(value: object) -> str:
    """A result as text."""
    return value if isinstance(value, str) else json.dumps(whole(value), ensure_ascii=False)


def role_of(name: str) -> Role:
    """The side that a platform's word names.

    Raises:
        RecordError: The word names neither side.
    """
    role = roles_of([name, "user", "agent"]).get(name) if name else None
    if role is None:
        raise RecordError(f"{name!r} is no role; `user` and `agent` are")
    return role


def text_of(value: object) -> str:
    """A text without blanks around it; empty when the value is no text."""
    return value.strip() if isinstance(value, str) else ""


def id_of(value: object) -> str:
    """An id, which some platforms write as a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text_of(value)


def seconds(value: object) -> float | None:
    """A number of seconds that is not negative, else None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(0.0, float(value))
    return None


def milliseconds(value: object) -> float | None:
    """A number of milliseconds, in seconds."""
    found = seconds(value)
    return None if found is None else found / 1_000


def mapping(value: object) -> Record:
    """A mapping; empty when the value is none."""
    return cast(Record, value) if isinstance(value, dict) else {}


def mappings(record: Record, key: str) -> list[Record]:
    """The list of mappings under `key`; empty when there is none.

    Raises:
        RecordError: Something else stands there.
    """
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RecordError(f"`{key}` must be a list, and is {kind(value)}")
    found: list[Record] = []
    for index, item in enumerate(cast(list[object], value)):
        if not isinstance(item, dict):
            raise RecordError(f"`{key}.{index}` must be a mapping, and is {kind(item)}")
        found.append(cast(Record, item))
    return found


def has_entries(record: Record, key: str) -> bool:
    """Whether a list that is not empty stands under `key`."""
    return has_list(record, key) and bool(record[key])


def has_list(record: Record, key: str) -> bool:
    """Whether a list stands under `key`."""
    return isinstance(record.get(key), list)


def json_mapping(value: object) -> dict[str, Any]:
    """Parameters of a call, a mapping or JSON text of one; anything else is kept whole."""
    found: object = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            found = value.strip() or None
    if found is None:
        return {}
    plain = whole(found)
    return cast(dict[str, Any], plain) if isinstance(plain, dict) else {"arguments": plain}


def kind(value: object) -> str:
    """What a value is, for a person."""
    return "empty" if value is None else f"a {type(value).__name__}"


def _is_agent(turn: Turn) -> bool:
    return turn.role == "agent"
