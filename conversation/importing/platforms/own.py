"""Conversations in the form of this project: `turns` with a role and a text each."""

from collections import Counter
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from conversation.importing.platforms.record import (
    Platform,
    Record,
    RecordPlace,
    Taken,
    conversation_of,
    mappings,
)
from conversation.importing.platforms.seen import told
from conversation.importing.roles import RecordError
from conversation.importing.times import moment
from conversation.transcript import Role, ToolCall, Turn


class _OwnTurn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Role
    text: str = Field(min_length=1)
    offset_s: float | None = Field(default=None, ge=0)
    interrupted: bool = False
    generated_text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


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

    @field_validator("started_at", "ended_at", mode="before")
    @classmethod
    def _in_utc(cls, value: object) -> datetime | None:
        return moment(value, "started_at or ended_at")


_FIELDS = frozenset({*_OwnConversation.model_fields, "labels"})
"""`labels` are read from the same file by those who compare verdicts with them."""


def _read(record: Record, place: RecordPlace) -> Taken:
    try:
        given = _OwnConversation.model_validate(record)
    except ValidationError as error:
        # Never the input: it holds what was said.
        problems = [
            f"`{'.'.join(str(part) for part in problem['loc'])}`: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise RecordError("; ".join(problems)) from error
    transcript = conversation_of(
        [Turn(**turn.model_dump()) for turn in given.turns],
        source="import",
        source_id=given.conversation_id,
        agent_id=given.agent_id or place.agent_id,
        started_at=given.started_at,
        ended_at=given.ended_at,
        end_reason=given.end_reason,
    )
    own = {"simulated": given.simulated, "metadata": given.metadata}
    left_out = _others(record)
    told(record)
    return Taken(transcript.model_copy(update=own), left_out)


def _others(record: Record) -> Counter[str]:
    """Fields that are none of ours, at every place where there are some."""
    found = Counter(f"import.{key}" for key in record if key not in _FIELDS)
    for turn in mappings(record, "turns"):
        found.update(f"import.turns.{key}" for key in turn if key not in _OwnTurn.model_fields)
        found.update(
            f"import.turns.tool_calls.{key}"
            for call in mappings(turn, "tool_calls")
            for key in call
            if key not in ToolCall.model_fields
        )
    return found


OWN = Platform("import", lambda record: "turns" in record, _read)
