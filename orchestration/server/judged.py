"""Verdicts and values of one conversation with their versions and evidence, and where from."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict

from analysis.query.lineage import why
from analysis.reports import open_reports
from analysis.results import (
    CollectedValue,
    Evaluation,
    Evidence,
    FieldValue,
    ValueStatus,
    Verdict,
    Votes,
)
from conversation.server.access.admission import require
from conversation.server.errors import ApiError
from conversation.server.keys.api_keys import ApiKey
from conversation.transcript import Citation, Retrieval
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations, redacted_evaluations
from orchestration.server.errors import told

CanRead = Annotated[ApiKey, Depends(require("read"))]
A = TypeVar("A", bound=Evaluation | CollectedValue)
ConversationId = Annotated[str, Path(max_length=255)]


class Answer(BaseModel):
    """What one judge answered to one version of one question. Never overwritten."""

    model_config = ConfigDict(from_attributes=True)

    judge_model: str
    judge_prompt_version: str
    sample: int
    """0 counts; others ask again, to see how steady the judge is."""
    transcript_sha256: str
    is_current: bool
    """Whether it is the one that reports count."""
    rationale: str | None
    evidence: tuple[Evidence, ...]
    """Verbatim quotes, each checked against the turn that it names."""
    unsupported_quotes: tuple[str, ...]
    """What the judge quoted and nobody said in that turn."""
    votes: Votes
    agreement: float | None
    error: str | None
    evaluated_at: datetime | None


class VerdictAnswer(Answer):
    """An answer to a criterion, on the wire."""

    criterion_id: str
    criterion_version: str
    verdict: Verdict | None
    score: float | None
    confidence: float | None


class ValueAnswer(Answer):
    """An answer to a data collection field."""

    field_id: str
    field_version: str
    value: FieldValue
    status: ValueStatus


class QuestionText(BaseModel):
    """What one version of a criterion or field asks."""

    kind: Literal["criterion", "field"]
    question_id: str
    version: str
    definition: dict[str, Any]
    """As the agent file had it: a criterion's `prompt`, a field's `description`."""
    first_used_at: datetime


class Judged(BaseModel):
    """Everything that judges answered about one conversation, oldest first."""

    conversation_id: str
    summary: str | None
    evaluations: list[VerdictAnswer]
    values: list[ValueAnswer]
    questions: list[QuestionText]
    """The words of each version that was asked."""


class TurnReason(BaseModel):
    """What an agent turn rests on."""

    turn_index: int
    text: str
    retrieved: list[Retrieval]
    """What was found for it, best first, and whether it stood in the prompt."""
    citations: list[Citation]
    unsupported_spans: list[tuple[int, int]]
    """[start, end) of sentences that no passage supports."""
    grounded_share: float | None


def router(deployment: Deployment) -> APIRouter:
    """The routes over `deployment`."""
    routes = APIRouter(prefix="/api/conversations", tags=["evaluations"])

    @routes.get("/{conversation_id}/evaluations", operation_id="get_evaluations")
    def get_evaluations(conversation_id: ConversationId, _key: CanRead) -> Judged:
        """Every verdict and value, of every version and judge, with its evidence."""
        return judged(deployment, conversation_id)

    @routes.get(
        "/{conversation_id}/why/{name}",
        operation_id="why",
        responses={409: {"description": "Nothing is published yet."}},
    )
    def get_why(
        conversation_id: ConversationId, name: Annotated[str, Path(max_length=200)], _key: CanRead
    ) -> dict[str, Any]:
        """From a verdict or value to the words said, the passages and the documents.

        `name` is a criterion or a field; `criterion:NAME` and `field:NAME` say which.
        """
        with told(), open_reports(deployment.reports_file) as connection:
            return asdict(why(connection, conversation_id, name))

    @routes.get("/{conversation_id}/turns/{turn_index}/why", operation_id="why_turn")
    def get_turn_reason(
        conversation_id: ConversationId, turn_index: Annotated[int, Path(ge=0)], _key: CanRead
    ) -> TurnReason:
        """What was retrieved for an agent turn, and which passages carry its sentences."""
        return turn_reason(deployment, conversation_id, turn_index)

    return routes


def judged(deployment: Deployment, conversation_id: str) -> Judged:
    """What judges answered about one conversation.

    Raises:
        UnknownConversationError: There is none.
    """
    conversations = redacted_conversations(deployment)
    conversations.transcript(conversation_id)
    store = redacted_evaluations(deployment, conversations)
    evaluations, values = (
        store.evaluations([conversation_id]),
        store.collected_values([conversation_id]),
    )
    current = _latest(evaluations, lambda each: each.criterion_id)
    current_values = _latest(values, lambda each: each.field_id)
    asked = {("criterion", e.criterion_id, e.criterion_version) for e in evaluations}
    asked |= {("field", v.field_id, v.field_version) for v in values}
    return Judged(
        conversation_id=conversation_id,
        summary=store.latest_summary(conversation_id),
        evaluations=[
            VerdictAnswer.model_validate(each.model_dump() | {"is_current": place in current})
            for place, each in enumerate(evaluations)
        ],
        values=[
            ValueAnswer.model_validate(each.model_dump() | {"is_current": place in current_values})
            for place, each in enumerate(values)
        ],
        questions=[
            QuestionText.model_validate({name: row[name] for name in QuestionText.model_fields})
            for row in store.question_versions()
            if (row["kind"], row["question_id"], row["version"]) in asked
        ],
    )


def turn_reason(deployment: Deployment, conversation_id: str, turn_index: int) -> TurnReason:
    """What one agent turn rests on.

    Raises:
        ApiError: There is no such turn of the agent.
        UnknownConversationError: There is no such conversation.
    """
    conversations = redacted_conversations(deployment)
    turns = conversations.transcript(conversation_id).turns
    if turn_index >= len(turns) or turns[turn_index].role != "agent":
        raise ApiError(
            404,
            "turn_not_found",
            f"Conversation {conversation_id!r} has no agent turn {turn_index}; it has "
            f"{len(turns)} turns, counted from 0.",
        )
    turn = turns[turn_index]
    return TurnReason(
        turn_index=turn_index,
        text=turn.text,
        retrieved=[
            found
            for found in conversations.retrievals(conversation_id)
            if found.turn_id == turn.turn_id
        ],
        citations=list(turn.citations),
        unsupported_spans=list(turn.unsupported_spans),
        grounded_share=turn.grounded_share,
    )


def _latest(answers: Sequence[A], question_of: Callable[[A], str]) -> set[int]:
    """Places of the answers in force: the last of sample 0 to each question."""
    return set(
        {question_of(each): n for n, each in enumerate(answers) if each.sample == 0}.values()
    )
