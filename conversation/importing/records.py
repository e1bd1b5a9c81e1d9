"""Conversations in JSON or YAML, of this project and of other platforms, to transcripts. Pure."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from conversation.importing.roles import RecordError, roles_of
from conversation.transcript import Role, ToolCall, Transcript, Turn

Record = Mapping[str, Any]
_OWN_ID = re.compile(r"conv_[A-Za-z0-9]+")


class _OwnTurn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Role
    text: str = Field(min_length=1)
    offset_s: float | None = Field(default=None, ge=0)
    interrupted: bool = False
    generated_text: str | None = None


class _OwnConversation(BaseModel):
    """The accepted fields. Others, such as `labels`, belong to other readers of the file."""

    model_config = ConfigDict(extra="ignore")

    conversation_id: str = Field(pattern=r"^conv_[A-Za-z0-9]+$")
    agent_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = "imported"
    simulated: bool = False
    metadata: dict[str, str] = {}
    turns: tuple[_OwnTurn, ...] = Field(min_length=1)

    @field_validator("started_at", "ended_at")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def transcript_of(record: object, agent_id: str, *, where: str = "") -> Transcript:
    """Turn one record of any known shape into a transcript.

    Shapes: our own (`turns`), ElevenLabs (`transcript`), Retell (`transcript_object`), Vapi and
    OpenAI (`messages`), or a bare list of OpenAI messages.

    Args:
        record: As it was read from JSON or YAML.
        agent_id: Agent of a record that names none of ours.
        where: Stands in for an id that the record does not have.

    Raises:
        RecordError: The record has no known shape, or a field is missing or wrong.
    """
    fields: Record
    if isinstance(record, list):
        fields = {"messages": cast(list[object], record)}
    elif isinstance(record, dict):
        fields = cast(Record, record)
    else:
        raise RecordError(f"a conversation is a mapping with `turns`, and this is {_kind(record)}")
    for key, read in _SHAPES:
        if key in fields:
            return read(fields, agent_id, where)
    known = ", ".join(f"`{key}`" for key, _ in _SHAPES)
    raise RecordError(f"it has none of the keys that hold what was said: {known}")


def imported(
    turns: Sequence[Turn],
    *,
    source: str,
    source_id: str,
    agent_id: str,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    end_reason: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Transcript:
    """A transcript whose id follows from where it came from, so that it goes in once."""
    if not turns:
        raise RecordError("nobody says anything in it")
    digest = hashlib.sha256(f"{source}\x1f{source_id}".encode("utf-8", "replace")).hexdigest()
    own = _OWN_ID.fullmatch(source_id) is not None
    last_s = max((turn.offset_s or 0.0 for turn in turns), default=0.0)
    if ended_at is None and started_at is not None:
        ended_at = started_at + timedelta(seconds=last_s)
    return Transcript(
        conversation_id=source_id if own else f"conv_{digest[:24]}",
        agent_id=agent_id,
        turns=tuple(turns),
        started_at=started_at,
        ended_at=ended_at,
        end_reason=end_reason or "imported",
        source=source,
        metadata={"source_id": source_id, **(metadata or {})},
    )


def content_id(turns: Sequence[Turn], where: str) -> str:
    """Names a record without an id of its own by its place and words."""
    said = json.dumps([[turn.role, turn.text] for turn in turns])
    return f"{where}#{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _own(record: Record, agent_id: str, where: str) -> Transcript:
    try:
        given = _OwnConversation.model_validate(record)
    except ValidationError as error:
        # Never the input: it holds what was said.
        problems = [
            f"`{'.'.join(str(part) for part in problem['loc'])}`: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise RecordError("; ".join(problems)) from error
    turns = [Turn(**turn.model_dump()) for turn in given.turns]
    return imported(
        turns,
        source="import",
        source_id=given.conversation_id,
        agent_id=given.agent_id or agent_id,
        started_at=given.started_at,
        ended_at=given.ended_at,
        end_reason=given.end_reason,
        metadata=given.metadata,
    ).model_copy(update={"simulated": given.simulated, "metadata": given.metadata})


def _elevenlabs(record: Record, agent_id: str, where: str) -> Transcript:
    entries = _mappings(record, "transcript")
    metadata = _mapping(record.get("metadata"))
    turns = [turn for entry in entries if (turn := _elevenlabs_turn(entry)) is not None]
    started_at = _from_unix(metadata.get("start_time_unix_secs"), "metadata.start_time_unix_secs")
    duration = metadata.get("call_duration_secs")
    ended_at = None
    if started_at is not None and isinstance(duration, int | float):
        ended_at = started_at + timedelta(seconds=duration)
    return imported(
        turns,
        source="elevenlabs",
        source_id=str(record.get("conversation_id") or content_id(turns, where)),
        agent_id=agent_id,
        started_at=started_at,
        ended_at=ended_at,
        end_reason=_text(metadata.get("termination_reason")) or None,
        metadata={"source_agent_id": _text(record.get("agent_id"))},
    )


def _elevenlabs_turn(entry: Record) -> Turn | None:
    text = _text(entry.get("message"))
    calls = _elevenlabs_tools(entry)
    if not text and not calls:
        return None
    generated = _text(entry.get("original_message"))
    offset = entry.get("time_in_call_secs")
    return Turn(
        role=_role(_text(entry.get("role"))),
        text=text,
        offset_s=float(offset) if isinstance(offset, int | float) else None,
        interrupted=bool(entry.get("interrupted")),
        generated_text=generated if generated and generated != text else None,
        tool_calls=calls,
    )


def _elevenlabs_tools(entry: Record) -> tuple[ToolCall, ...]:
    results = {_text(each.get("request_id")): each for each in _mappings(entry, "tool_results")}
    calls: list[ToolCall] = []
    for call in _mappings(entry, "tool_calls"):
        call_id = _text(call.get("request_id"))
        result = results.get(call_id, {})
        latency_s = result.get("tool_latency_secs")
        calls.append(
            ToolCall(
                tool_name=_text(call.get("tool_name")),
                tool_call_id=call_id,
                parameters=_json_mapping(call.get("params_as_json")),
                result=_text(result.get("result_value")) or None,
                is_error=bool(result.get("is_error")),
                latency_ms=latency_s * 1_000 if isinstance(latency_s, int | float) else None,
            )
        )
    return tuple(calls)


def _retell(record: Record, agent_id: str, where: str) -> Transcript:
    turns: list[Turn] = []
    for entry in _mappings(record, "transcript_object"):
        text = _text(entry.get("content"))
        words = _mappings(entry, "words")
        start = words[0].get("start") if words else None
        if text:
            offset = float(start) if isinstance(start, int | float) else None
            turns.append(Turn(role=_role(_text(entry.get("role"))), text=text, offset_s=offset))
    return imported(
        turns,
        source="retell",
        source_id=_text(record.get("call_id")) or content_id(turns, where),
        agent_id=agent_id,
        started_at=_from_unix(record.get("start_timestamp"), "start_timestamp", per_second=1_000),
        ended_at=_from_unix(record.get("end_timestamp"), "end_timestamp", per_second=1_000),
        end_reason=_text(record.get("disconnection_reason")) or None,
        metadata={"source_agent_id": _text(record.get("agent_id"))},
    )


def _messages(record: Record, agent_id: str, where: str) -> Transcript:
    """OpenAI chat messages (`content`), or those of a Vapi call (`message`, `endedReason`)."""
    turns: list[Turn] = []
    for entry in _mappings(record, "messages"):
        name = _text(entry.get("role"))
        if name.startswith(("tool", "function")):
            continue
        role = roles_of([name, "user", "agent"]).get(name) if name else None
        text = _content(entry.get("content", entry.get("message")))
        offset = entry.get("secondsFromStart")
        if role is not None and text:
            offset_s = max(0.0, float(offset)) if isinstance(offset, int | float) else None
            turns.append(Turn(role=role, text=text, offset_s=offset_s))
    is_vapi = "endedReason" in record or "assistantId" in record
    return imported(
        turns,
        source="vapi" if is_vapi else "openai",
        source_id=_text(record.get("id") or record.get("conversation_id"))
        or content_id(turns, where),
        agent_id=agent_id,
        started_at=_time(record.get("startedAt") or record.get("created_at"), "startedAt"),
        ended_at=_time(record.get("endedAt"), "endedAt"),
        end_reason=_text(record.get("endedReason")) or None,
    )


_SHAPES: tuple[tuple[str, Callable[[Record, str, str], Transcript]], ...] = (
    ("turns", _own),
    ("transcript_object", _retell),
    ("messages", _messages),
    ("transcript", _elevenlabs),
)


def _role(name: str) -> Role:
    role = roles_of([name, "user", "agent"]).get(name) if name else None
    if role is None:
        raise RecordError(f"{name!r} is no role; `user` and `agent` are")
    return role


def _content(value: object) -> str:
    """Text of a message: a string, or the text parts of a list of parts."""
    if isinstance(value, list):
        parts = [_mapping(part).get("text") for part in cast(list[object], value)]
        return " ".join(part for part in parts if isinstance(part, str)).strip()
    return _text(value)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _mapping(value: object) -> Record:
    return cast(Record, value) if isinstance(value, dict) else {}


def _mappings(record: Record, key: str) -> list[Record]:
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RecordError(f"`{key}` must be a list, and is {_kind(value)}")
    found: list[Record] = []
    for index, item in enumerate(cast(list[object], value)):
        if not isinstance(item, dict):
            raise RecordError(f"`{key}.{index}` must be a mapping, and is {_kind(item)}")
        found.append(cast(Record, item))
    return found


def _json_mapping(value: object) -> dict[str, Any]:
    try:
        found: object = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    return dict(_mapping(found))


def _from_unix(value: object, key: str, *, per_second: int = 1) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(float(cast(float, value)) / per_second, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise RecordError(f"`{key}` must be a Unix time") from None


def _time(value: object, key: str) -> datetime | None:
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return _from_unix(value, key)
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise RecordError(f"`{key}` must be a time such as 2026-03-01T12:00:00Z") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _kind(record: object) -> str:
    return "empty" if record is None else f"a {type(record).__name__}"
