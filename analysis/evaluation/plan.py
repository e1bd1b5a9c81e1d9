"""What an evaluation run would have to ask: found without asking any model."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analysis.evaluation.still_open import Asking, prompt_version, read_in_order, still_open
from analysis.judge.windows import shown_chars
from analysis.store.answer_keys import AnalysisKey, Missing, missing_from, transcript_sha256
from analysis.store.settled import settle
from analysis.store.store import AnalysisStore
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import CODE_JUDGE, JudgeVariant
from conversation.agent.models.judges import panel_members
from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript

_CONVERSATIONS_AT_ONCE = 500


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

    def without(self, agent_ids: Collection[str]) -> "EvaluationPlan":
        """The plan without the conversations of some agents."""
        kept = (each for each in self.conversations if each.agent_id not in agent_ids)
        return replace(self, conversations=tuple(kept))


@dataclass(frozen=True, slots=True)
class EvaluationScope:
    """What is asked, of which conversations, and how."""

    judge: str | None = None
    """Model string in place of every agent's own judge."""
    conversation_ids: Collection[str] | None = None
    """These only; None means every ended conversation."""
    only: Collection[str] | None = None
    """Ids of criteria and fields; None means all of them, and the summary."""
    sample: int = 0
    """1 and up ask everything once more, to see how steady the judge is."""
    summary: bool = True
    """Whether to ask for summaries."""
    variant: JudgeVariant | None = None
    """How the judge is asked; None takes what suits it best."""


WHATEVER_IS_MISSING = EvaluationScope()


def plan_evaluations(
    conversations: ConversationStore,
    analysis_store: AnalysisStore,
    agents: Sequence[AgentConfig],
    scope: EvaluationScope = WHATEVER_IS_MISSING,
) -> EvaluationPlan:
    """Return what is missing of `scope`.

    What it costs follows the conversations that have something left to ask, or were touched since
    they had nothing left.
    """
    asking: dict[str, Asking] = {}
    for agent in agents:
        asked = scope.judge or agent.judge.name
        has_summary = scope.summary and scope.only is None and agent.analysis.summary
        asking[agent.agent_id] = Asking(
            _narrowed(agent, scope.only),
            asked,
            scope.variant or agent.analysis.variant,
            has_summary and asked != EXTRACTIVE,
            scope.sample,
        )
    digests = {
        name: each.digest(seen_as=conversations.seen_as(name)) for name, each in asking.items()
    }
    found = still_open(conversations, analysis_store, digests, scope.conversation_ids)
    planned: list[PlannedConversation] = []
    unreadable: dict[str, str] = {}
    for start in range(0, len(found.ids), _CONVERSATIONS_AT_ONCE):
        ids = found.ids[start : start + _CONVERSATIONS_AT_ONCE]
        answered = analysis_store.answered(ids)
        settled: dict[str, str] = {}
        for conversation_id, transcript in read_in_order(conversations, ids):
            if not isinstance(transcript, Transcript):
                unreadable[conversation_id] = f"{type(transcript).__name__}: not readable"
                continue
            each = _planned(transcript, asking[transcript.agent_id], answered)
            if each.missing.nothing:
                settled[conversation_id] = each.agent_id
            else:
                planned.append(each)
        if found.mark is not None:
            settle(analysis_store.engine, settled, digests, seen=found.mark)
    cached = found.known - len(planned) - len(unreadable)
    return EvaluationPlan(tuple(planned), cached, found.skipped, unreadable)


def _planned(
    transcript: Transcript, asking: Asking, answered: frozenset[AnalysisKey]
) -> PlannedConversation:
    key, agent = transcript.conversation_id, asking.agent
    return PlannedConversation(
        key,
        agent.agent_id,
        asking.judge,
        asking.missing(answered, key, transcript_sha256(transcript)),
        asking.way,
        shown_chars(transcript.turns),
        agent.timezone,
        agent.judge.reached,
    )


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
        prompt_version=partial(prompt_version, planned.variant),
        sample=sample,
    )
    return replace(missing, summary=missing.summary and planned.missing.summary)


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
