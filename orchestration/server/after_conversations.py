"""Ended conversations of a deployment: masked as agents say, judged, and deleted everywhere."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluation.plan import EvaluationScope
from analysis.evaluation.run import evaluate_conversations
from analysis.results import CollectedValue, Evaluation
from analysis.store.store import AnalysisStore
from analysis.topics.topic_store import conversations_about
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import Criterion, DataCollectionField
from conversation.errors import ModelUnavailableError
from conversation.server.ended.bodies import CallAnalysis, CriterionResult, FieldResult
from conversation.server.ended.shown_conversation import overall
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from conversation.voice.recording.silencing import SilentSpan
from orchestration.deployment import Deployment
from orchestration.operations.forgetting import forget
from orchestration.operations.masking import (
    redacted_conversations,
    redacted_evaluations,
    usable_agents,
)
from orchestration.schedule.done_elsewhere import note_judged
from orchestration.server.lookup import owners

_JSON_TYPES = {"date": "string", "time": "string", "datetime": "string"}


class DeployedAfterCalls:
    """What the server knows of conversations that ended."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._judging = threading.Lock()
        """A judge that runs here has the machine to itself."""

    def readable(self) -> ConversationStore:
        """Conversations, masked where the agent says so."""
        return redacted_conversations(self._deployment)

    def analyses(
        self, conversation_ids: Sequence[str], *, agent_ids: Mapping[str, str] | None = None
    ) -> Mapping[str, CallAnalysis]:
        """What was found in these conversations; those that were not judged are left out."""
        deployment = self._deployment
        agents = {agent.agent_id: agent for agent in usable_agents(deployment)}
        owned_by = agent_ids
        if owned_by is None:
            owned_by = owners(deployment.conversations.engine, conversation_ids)
        masked = [each for each in owned_by if _masks(agents.get(owned_by[each]))]
        open_ones = [each for each in owned_by if not _masks(agents.get(owned_by[each]))]
        found = _analyses(deployment.evaluations, open_ones, owned_by, agents)
        if masked:
            redacted = redacted_evaluations(deployment, redacted_conversations(deployment))
            found |= _analyses(redacted, masked, owned_by, agents)
        return found

    def about(self, topic_ids: Collection[str], conversation_ids: Collection[str]) -> set[str]:
        """Those of these conversations that were found to have one of these topics."""
        return conversations_about(self._deployment.engine, topic_ids, among=conversation_ids)

    def wants_analysis(self, agent_id: str) -> bool:
        """Whether the agent has criteria or fields."""
        return any(
            agent.agent_id == agent_id and (agent.criteria or agent.data_collection)
            for agent in usable_agents(self._deployment)
        )

    def analyse(self, conversation_id: str, *, only: str | None = None) -> None:
        """Ask the judges what has no answer yet, of one criterion where `only` is its id.

        Raises:
            ModelError: No judge could be asked.
        """
        deployment = self._deployment
        agents = usable_agents(deployment)
        with self._judging:
            run = evaluate_conversations(
                redacted_conversations(deployment),
                deployment.evaluations,
                agents,
                open_model=deployment.chat_model,
                scope=EvaluationScope(
                    conversation_ids=[conversation_id], only=None if only is None else [only]
                ),
                concurrency=1,
            )
        if run.failures:
            raise ModelUnavailableError("; ".join(run.failures.values()))
        ended_at = deployment.conversations.transcript(conversation_id).ended_at
        if run.answers and ended_at is not None:
            day = ended_at.astimezone(UTC).date()
            note_judged(deployment.settings, [day], whole=False)

    def judge(self, agent: AgentConfig, transcript: Transcript, condition: str) -> CriterionResult:
        """Ask the agent's judge one thing about a conversation, and keep nothing."""
        criterion = Criterion(criterion_id="condition", prompt=condition)
        with self._judging:
            found = analyse_transcript(
                transcript,
                [criterion],
                [],
                agent.judge,
                summary=False,
                open_judge=lambda model: self._deployment.chat_model(agent.judge.reached(model)),
            )
        return criterion_result(found.evaluations[0], criterion)

    def silent_spans(self, conversation_id: str) -> Sequence[SilentSpan]:
        """Where words were said that the agent's file has masked."""
        return redacted_conversations(self._deployment).silent_spans(conversation_id)

    def forget(self, conversation_id: str) -> None:
        """Delete a conversation in every store, file and report."""
        forget(self._deployment, now=datetime.now(UTC), conversation_id=conversation_id)


def _masks(agent: AgentConfig | None) -> bool:
    """Conversations of an agent that is gone are masked too."""
    return agent is None or agent.privacy.redact


def _analyses(
    store: AnalysisStore,
    ids: Sequence[str],
    owned_by: Mapping[str, str],
    agents: Mapping[str, AgentConfig],
) -> dict[str, CallAnalysis]:
    verdicts: dict[str, dict[str, Evaluation]] = defaultdict(dict)
    values: dict[str, dict[str, CollectedValue]] = defaultdict(dict)
    answers = store.answers(ids)
    for found in answers.evaluations:
        if found.sample == 0:
            verdicts[found.conversation_id][found.criterion_id] = found
    for collected in answers.values:
        if collected.sample == 0:
            values[collected.conversation_id][collected.field_id] = collected
    judged = {run.conversation_id for run in answers.runs}
    summaries = {run.conversation_id: run.summary for run in answers.runs if run.summary}
    return {
        each: _analysis(
            verdicts[each].values(),
            values[each].values(),
            summaries.get(each),
            agents.get(owned_by[each]),
        )
        for each in ids
        if each in judged or each in verdicts or each in values
    }


def _analysis(
    verdicts: Iterable[Evaluation],
    values: Iterable[CollectedValue],
    summary: str | None,
    agent: AgentConfig | None,
) -> CallAnalysis:
    criteria = {each.criterion_id: each for each in agent.criteria} if agent else {}
    fields = {each.field_id: each for each in agent.data_collection} if agent else {}
    results = [criterion_result(each, criteria.get(each.criterion_id)) for each in verdicts]
    collected = [_field_result(each, fields.get(each.field_id)) for each in values]
    return CallAnalysis(
        call_successful=overall([each.result for each in results]),
        transcript_summary=summary or "",
        evaluation_criteria_results={each.criteria_id: each for each in results},
        data_collection_results={each.data_collection_id: each for each in collected},
        evaluation_criteria_results_list=results,
        data_collection_results_list=collected,
    )


def criterion_result(found: Evaluation, criterion: Criterion | None) -> CriterionResult:
    """A verdict as SDKs read it; a judge that failed is `unknown`, with the reason."""
    scale = criterion.scale if criterion else None
    return CriterionResult(
        criteria_id=found.criterion_id,
        result=found.verdict or "unknown",
        rationale=found.rationale or found.error or "",
        score=None if found.score is None else round(found.score),
        max_score=None if scale is None or found.score is None else round(scale.max),
    )


def _field_result(found: CollectedValue, field: DataCollectionField | None) -> FieldResult:
    schema: dict[str, Any] | None = None
    if field is not None:
        schema = {
            "type": _JSON_TYPES.get(field.type, field.type),
            "description": field.description,
        }
        if field.enum:
            schema["enum"] = list(field.enum)
    return FieldResult(
        data_collection_id=found.field_id,
        value=found.value,
        json_schema=schema,
        rationale=found.rationale or found.error or "",
    )
