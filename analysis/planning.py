"""What an evaluation run would have to ask: found without asking any model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from analysis.evaluation import transcript_sha256
from analysis.missing import Missing, missing_from
from analysis.prompts import JudgeVariant, judge_prompt_version
from analysis.store import AnalysisStore
from conversation.config import AgentConfig
from conversation.errors import ConversationError
from conversation.store import ConversationStore, ConversationSummary

_CONVERSATIONS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PlannedConversation:
    """One conversation that has something left to ask. Holds none of its words."""

    conversation_id: str
    agent_id: str
    judge: str
    """Model string of the judge of all questions that name no other."""
    missing: Missing

    @property
    def judges(self) -> frozenset[str]:
        """Model strings of every judge that is needed."""
        named = {criterion.judge or self.judge for criterion in self.missing.criteria}
        if self.missing.fields or self.missing.summary:
            named.add(self.judge)
        return frozenset(named)


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What a run would do."""

    conversations: tuple[PlannedConversation, ...]
    """Those with something left to ask, in order of their start."""
    cached: int
    """Conversations with nothing left to ask."""
    skipped: int
    """Conversations of agents that are not among those given."""
    unreadable: Mapping[str, str]
    """Ids of conversations that the store cannot give, and why."""

    @property
    def question_count(self) -> int:
        """Criteria, fields and summaries that are missing."""
        return sum(
            len(planned.missing.criteria) + len(planned.missing.fields) + planned.missing.summary
            for planned in self.conversations
        )


def plan_evaluations(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    agents: Sequence[AgentConfig],
    *,
    judge: str | None = None,
    conversation_ids: Collection[str] | None = None,
    only: Collection[str] | None = None,
    sample: int = 0,
    summary: bool = True,
    variant: JudgeVariant | None = None,
) -> EvaluationPlan:
    """Return what is missing. The arguments are those of `evaluate_conversations`."""
    by_id = {agent.agent_id: _narrowed(agent, only) for agent in agents}
    ended = _ended(conversations, conversation_ids)
    known = [found for found in ended if found.agent_id in by_id]
    planned: list[PlannedConversation] = []
    unreadable: dict[str, str] = {}
    for start in range(0, len(known), _CONVERSATIONS_AT_ONCE):
        batch = known[start : start + _CONVERSATIONS_AT_ONCE]
        answered = analysis_store.answered([found.conversation_id for found in batch])
        for found in batch:
            agent = by_id[found.agent_id]
            asked = judge or agent.judge
            try:
                digest = transcript_sha256(conversations.transcript(found.conversation_id))
            except (ConversationError, ValidationError) as error:
                unreadable[found.conversation_id] = f"{type(error).__name__}: not readable"
                continue
            missing = missing_from(
                answered,
                found.conversation_id,
                digest,
                criteria=agent.criteria,
                fields=agent.data_collection,
                judge=asked,
                prompt_version=lambda model: judge_prompt_version(model, variant),
                sample=sample,
            )
            if not (summary and agent.analysis.summary) or only is not None:
                missing = replace(missing, summary=False)
            if not missing.nothing:
                planned.append(
                    PlannedConversation(found.conversation_id, agent.agent_id, asked, missing)
                )
    cached = len(known) - len(planned) - len(unreadable)
    return EvaluationPlan(tuple(planned), cached, len(ended) - len(known), unreadable)


def _ended(
    conversations: ConversationStore, conversation_ids: Collection[str] | None
) -> list[ConversationSummary]:
    wanted = None if conversation_ids is None else frozenset(conversation_ids)
    return [
        found
        for found in conversations.conversations()
        if found.status != "in_progress" and (wanted is None or found.conversation_id in wanted)
    ]


def _narrowed(agent: AgentConfig, only: Collection[str] | None) -> AgentConfig:
    if only is None:
        return agent
    return agent.model_copy(
        update={
            "criteria": tuple(c for c in agent.criteria if c.criterion_id in only),
            "data_collection": tuple(f for f in agent.data_collection if f.field_id in only),
        }
    )
