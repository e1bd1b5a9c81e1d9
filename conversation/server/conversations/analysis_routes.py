"""Conversations that were held: judged on request, by the agent's criteria and by others."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field, model_validator

from conversation.agent.config import AgentConfig
from conversation.errors import ModelError
from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext
from conversation.server.conversations.detail import conversation_detail
from conversation.server.ended.bodies import (
    CallAnalysis,
    ConversationDetail,
    CriterionResult,
)
from conversation.server.errors import IN_THE_WAY, ApiError, not_found, not_supported
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.transcript import Transcript

router = APIRouter(prefix="/v1/convai/conversations", tags=["conversations"])

CanLabel = Annotated[ApiKey, Depends(require("label"))]
CanRead = Annotated[ApiKey, Depends(require("read"))]
MAX_EXTRA_CRITERIA = 20
CriterionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class ExtraCriterion(Body):
    """A question to the agent's judge that is no criterion of the agent."""

    id: CriterionId
    name: str | None = Field(default=None, max_length=200)
    type: Literal["prompt"] = "prompt"
    conversation_goal_prompt: str = Field(min_length=1, max_length=2_000, pattern=r"\S")
    """When is the verdict success?"""


class WantedEvaluation(Body):
    """One of the agent's criteria, or others, or both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"evaluation_id": "resolved"}]})

    evaluation_id: str | None = Field(default=None, max_length=100)
    """A criterion of the agent."""
    extra_evaluation_criteria: list[ExtraCriterion] = Field(
        default=[], max_length=MAX_EXTRA_CRITERIA
    )
    """Asked now and not kept."""
    scope: Literal["conversation", "agent"] | None = None
    """Either: one agent holds a whole conversation."""
    evaluated_agent_id: str | None = Field(default=None, max_length=128)
    """The agent of the conversation, as no other was part of it."""
    evaluated_branch_id: str | None = Field(default=None, max_length=128)

    @model_validator(mode="after")
    def _asks_something(self) -> "WantedEvaluation":
        ids = [each.id for each in self.extra_evaluation_criteria]
        if self.evaluation_id is not None:
            ids.append(self.evaluation_id)
        if not ids:
            raise ValueError("give `evaluation_id`, `extra_evaluation_criteria` or both")
        if len(set(ids)) < len(ids):
            raise ValueError("each criterion needs an id of its own")
        return self


@router.post("/{conversation_id}/analysis/run", operation_id="run_conversation_analysis")
def run_analysis(
    conversation_id: str, context: Context, _key: CanLabel, _reader: CanRead
) -> ConversationDetail:
    """Ask the judges what has no answer yet, and return the conversation with the answers.

    It takes a key for both: the answer holds what was said.
    """
    require_ended(context.store.transcript(conversation_id), "judged")
    with _judge_errors():
        context.calls.analyse(conversation_id)
    return conversation_detail(context, conversation_id)


@router.post("/{conversation_id}/analysis/evaluations/run", operation_id="run_evaluation")
def run_evaluation(
    conversation_id: str,
    body: WantedEvaluation,
    context: Context,
    _key: CanLabel,
    _reader: CanRead,
) -> ConversationDetail:
    """Ask one criterion of the agent, and criteria that are not the agent's.

    The agent's criterion is asked unless it has an answer in its present wording, and its answer
    is kept. The others are asked each time; their answers stand in this response only, and do not
    count for `call_successful`.
    """
    require_ended(context.store.transcript(conversation_id), "judged")
    agent = _judging_agent(conversation_id, body, context)
    with _judge_errors():
        if body.evaluation_id is not None:
            context.calls.analyse(conversation_id, only=body.evaluation_id)
        extra = _judged(conversation_id, agent, body.extra_evaluation_criteria, context)
    shown = conversation_detail(context, conversation_id)
    return shown.model_copy(update={"analysis": with_results(shown.analysis, extra)})


def with_results(
    analysis: CallAnalysis | None, results: list[CriterionResult]
) -> CallAnalysis | None:
    """An analysis with results that are not kept. Pure."""
    if not results:
        return analysis
    found = analysis or CallAnalysis(call_successful="unknown")
    by_id = {each.criteria_id: each for each in results}
    return found.model_copy(
        update={
            "evaluation_criteria_results": found.evaluation_criteria_results | by_id,
            "evaluation_criteria_results_list": [
                *found.evaluation_criteria_results_list,
                *results,
            ],
        }
    )


def require_ended(transcript: Transcript, what: str) -> None:
    """Refuse a conversation that is still being held."""
    if transcript.status == "in_progress":
        raise ApiError(
            IN_THE_WAY,
            "conversation_in_progress",
            f"Conversation {transcript.conversation_id!r} is still being held; it can be {what} "
            "when it has ended.",
        )


def _judging_agent(
    conversation_id: str, body: WantedEvaluation, context: ServerContext
) -> AgentConfig:
    agent_id = context.store.transcript(conversation_id).agent_id
    if body.evaluated_branch_id is not None:
        raise not_supported("Agents have no branches here: leave `evaluated_branch_id` out.")
    if body.evaluated_agent_id not in (None, agent_id):
        said = f"`evaluated_agent_id`: this conversation was held by {agent_id!r} alone."
        raise ApiError(422, "invalid_evaluation", said)
    agents = {agent.agent_id: agent for agent in context.agents.agents()}
    agent = agents.get(agent_id)
    if agent is None:
        raise not_found("agent", agent_id)
    own = [each.criterion_id for each in agent.criteria]
    if body.evaluation_id is not None and body.evaluation_id not in own:
        raise not_found("criterion", body.evaluation_id)
    taken = [each.id for each in body.extra_evaluation_criteria if each.id in own]
    if taken:
        said = f"`extra_evaluation_criteria`: {taken[0]!r} is a criterion of the agent."
        raise ApiError(422, "invalid_evaluation", said)
    return agent


def _judged(
    conversation_id: str,
    agent: AgentConfig,
    criteria: list[ExtraCriterion],
    context: ServerContext,
) -> list[CriterionResult]:
    if not criteria:
        return []
    transcript = context.calls.readable().transcript(conversation_id)
    return [
        context.calls.judge(agent, transcript, each.conversation_goal_prompt).model_copy(
            update={"criteria_id": each.id}
        )
        for each in criteria
    ]


@contextmanager
def _judge_errors() -> Generator[None]:
    try:
        yield
    except ModelError as error:
        raise ApiError(
            502, "judge_failed", "The judge could not be asked; the server's log says why."
        ) from error
