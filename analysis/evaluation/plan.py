"""What an evaluation run would have to ask: found without asking any model."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from pydantic import ValidationError

from analysis.judge.prompts import judge_prompt_version
from analysis.judge.windows import shown_chars
from analysis.store.answer_keys import AnalysisKey, Missing, missing_from, transcript_sha256
from analysis.store.store import AnalysisStore
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import CODE_JUDGE, JudgeVariant
from conversation.agent.models.judges import panel_members
from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig
from conversation.errors import ConversationError
from conversation.store.store import ConversationStore, ConversationSummary

_CONVERSATIONS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class PlannedConversation:
    """One conversation that has something left to ask. Holds none of its words."""

    conversation_id: str
    agent_id: str
    judge: str
    """Model string of the judge of all questions that name no other."""
    missing: Missing
    variant: JudgeVariant | None = None
    """How the judge is asked where a criterion does not say; None for what suits it best."""
    chars: int = 0
    """Length of what was said, and of what is shown of tools."""
    timezone: str | None = None
    """Of the agent."""
    reached: Callable[[str], LLMConfig] = LLMConfig().named
    """Where the agent reaches the judge with a model string."""

    @property
    def judges(self) -> frozenset[str]:
        """Model strings of every judge that is needed; the members of a panel, each.

        None for criteria that code decides.
        """
        named = {criterion.judge or self.judge for criterion in self.missing.criteria}
        if self.missing.fields or self.missing.summary:
            named.add(self.judge)
        members = {member for name in named for member in panel_members(name)}
        return frozenset(name for name in members if not name.startswith(CODE_JUDGE))


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
            asked, way = judge or agent.judge.name, variant or agent.analysis.variant
            try:
                transcript = conversations.transcript(found.conversation_id)
            except (ConversationError, ValidationError) as error:
                unreadable[found.conversation_id] = f"{type(error).__name__}: not readable"
                continue
            missing = missing_from(
                answered,
                found.conversation_id,
                transcript_sha256(transcript),
                criteria=agent.criteria,
                fields=agent.data_collection,
                judge=asked,
                prompt_version=partial(_prompt_version, way),
                sample=sample,
            )
            if not (summary and agent.analysis.summary and asked != EXTRACTIVE) or only is not None:
                missing = replace(missing, summary=False)
            if not missing.nothing:
                chars = shown_chars(transcript.turns)
                planned.append(
                    PlannedConversation(
                        found.conversation_id,
                        agent.agent_id,
                        asked,
                        missing,
                        way,
                        chars,
                        agent.timezone,
                        agent.judge.reached,
                    )
                )
    cached = len(known) - len(planned) - len(unreadable)
    return EvaluationPlan(tuple(planned), cached, len(ended) - len(known), unreadable)


def still_missing(
    planned: PlannedConversation, answered: frozenset[AnalysisKey], sha256: str, *, sample: int
) -> Missing:
    """Return what of a plan is still missing by now.

    Args:
        planned: What was missing when the plan was made.
        answered: Keys of what is answered by now.
        sha256: Hash of the transcript by now.
        sample: Number of the repetition.
    """
    missing = missing_from(
        answered,
        planned.conversation_id,
        sha256,
        criteria=planned.missing.criteria,
        fields=planned.missing.fields,
        judge=planned.judge,
        prompt_version=partial(_prompt_version, planned.variant),
        sample=sample,
    )
    return replace(missing, summary=missing.summary and planned.missing.summary)


def _prompt_version(way: JudgeVariant | None, model: str, own: JudgeVariant | None) -> str:
    return judge_prompt_version(model, own or way)


def _ended(
    conversations: ConversationStore, conversation_ids: Collection[str] | None
) -> list[ConversationSummary]:
    if conversation_ids is None:
        chosen = conversations.conversations()
    else:
        chosen = conversations.summaries(sorted(set(conversation_ids)))
    return [found for found in chosen if found.status != "in_progress"]


def _narrowed(agent: AgentConfig, only: Collection[str] | None) -> AgentConfig:
    """Return the agent with these criteria and fields, and the fields that they depend on."""
    if only is None:
        return agent
    only = {*only} | {
        condition.field
        for field in agent.data_collection
        if field.field_id in only
        for condition in field.only_when
    }
    return agent.model_copy(
        update={
            "criteria": tuple(c for c in agent.criteria if c.criterion_id in only),
            "data_collection": tuple(f for f in agent.data_collection if f.field_id in only),
        }
    )
