"""Records to rows of the conversation store and back. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Column, Table
from sqlalchemy.engine import Row

from conversation.store import tables
from conversation.transcript import LLMCall, Retrieval, Transcript, Turn, total_of_calls

RowValues = dict[str, Any]

TOGETHER = "turn"
"""Purpose of a row that stands for all calls of a turn, where they were not told apart."""


def turn_id_of(conversation_id: str, index: int) -> str:
    """Id of the turn at `index`, counted from 0."""
    return f"{conversation_id}.{index}"


def turn_payload(turn: Turn) -> Mapping[str, Any]:
    """The turn as its event keeps it."""
    return turn.model_dump(mode="json", exclude_defaults=True)


def turn_row(conversation_id: str, turn: Turn, *, index: int, at: datetime) -> RowValues:
    """Values of a row of `turns`."""
    generated = turn.text if turn.generated_text is None else turn.generated_text
    dumped = turn.model_dump(mode="json")
    return {
        "turn_id": turn.turn_id,
        "conversation_id": conversation_id,
        "turn_index": index,
        "role": turn.role,
        "generated_text": generated if turn.role == "agent" else None,
        "heard_text": turn.text,
        "spoken_text": turn.spoken_text,
        "interrupted": turn.interrupted,
        "offset_s": turn.offset_s,
        "grounded_share": turn.grounded_share,
        "error": turn.error,
        "citations": dumped["citations"],
        "unsupported_spans": dumped["unsupported_spans"],
        "tool_calls": dumped["tool_calls"],
        "latency": dumped["latency"],
        "sound": dumped["sound"],
        "recorded_at": at,
        **({"files": dumped["files"]} if turn.files else {}),
    }


def turn_from_row(row: Row[Any], calls: tuple[LLMCall, ...]) -> Turn:
    """A turn as it was stored."""
    # Validated at once: a store has many turns, and a record for each of its parts takes longer.
    values = _values(row, tables.turns)
    heard, generated = values["heard_text"], values["generated_text"]
    return Turn.model_validate(
        values
        | {
            "text": heard,
            "generated_text": None if generated == heard else generated,
            "usage": total_of_calls(calls),
            "calls": tuple(call for call in calls if call.purpose != TOGETHER),
            "files": values["files"] or (),
        }
    )


def conversation_from_row(row: Row[Any], turns: tuple[Turn, ...]) -> Transcript:
    """A conversation with its turns."""
    return Transcript(
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        turns=turns,
        status=row.status,
        started_at=row.started_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        agent_version=row.agent_version,
        source=row.source,
        simulated=row.simulated,
        metadata=row.metadata,
        **cast(dict[str, Any], row.given or {}),
    )


def _values(row: Row[Any], table: Table) -> RowValues:
    """The columns of a row by name. By name one at a time takes twice as long for a wide row."""
    if isinstance(row, SimpleNamespace):  # of several tables at once
        return vars(row)
    return dict(zip(_COLUMNS[table], row, strict=True))


def given_values(transcript: Transcript) -> dict[str, Any]:
    """Value of the column `given`."""
    return {"variables": transcript.variables, "overrides": transcript.overrides}


def user_column(metadata: Mapping[str, str]) -> str | None:
    """Value of the column `user_id`, by which lists are narrowed."""
    user_id = metadata.get("user_id")
    return None if user_id is None else str(user_id)[:255]


def columns_of_records(table: Table) -> list[Column[Any]]:
    """The columns that records are made of: all but when the row was written."""
    return [column for column in table.c if column.name != "recorded_at"]


_COLUMNS = {
    table: tuple(column.name for column in columns_of_records(table))
    for table in (tables.turns, tables.llm_usage, tables.retrievals)
}

UNPROVEN = "public"
"""`authorization_method` of a conversation that anybody may start: its user's id is what a
stranger said. With a key, with a signature or from an import it comes from who answers for it."""


def feedback_columns(kind: str, payload: Mapping[str, Any], turn_id: str | None) -> RowValues:
    """Columns of a conversation that feedback on all of it changes; none for other events."""
    if kind != "feedback" or turn_id is not None:
        return {}
    values: RowValues = {}
    if payload.get("rating") is not None:
        values["rating"] = payload["rating"]
    if payload.get("comment"):
        values["has_comment"] = True
    return values


def retrieval_row(conversation_id: str, retrieval: Retrieval) -> RowValues:
    """Values of a row of `retrievals`."""
    return {"conversation_id": conversation_id, **retrieval.model_dump()}


def retrieval_from_row(row: Row[Any]) -> Retrieval:
    """A retrieved passage as it was stored."""
    return Retrieval.model_validate(_values(row, tables.retrievals))


def call_rows(conversation_id: str, turn: Turn, *, at: datetime) -> list[RowValues]:
    """Values of the rows of `llm_usage` of a turn: one for each call that is known."""
    calls = turn.calls
    if not calls and turn.usage is not None:
        calls = (LLMCall(usage=turn.usage, purpose=TOGETHER),)
    return [
        {
            "conversation_id": conversation_id,
            "turn_id": turn.turn_id,
            "recorded_at": at,
            **call.usage.model_dump(),
            **call.model_dump(exclude={"usage"}),
        }
        for call in calls
    ]


def calls_from_rows(rows: Sequence[Row[Any]]) -> tuple[LLMCall, ...]:
    """The calls of one turn."""
    values = (_values(row, tables.llm_usage) for row in rows)
    return tuple(LLMCall.model_validate({**each, "usage": each}) for each in values)
