"""What an evaluation run adds up to, and when it had better stop."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis.evaluation.plan import EvaluationPlan, PlannedConversation
from analysis.results import AnalysisResult
from conversation.errors import ModelError, ModelSetupError
from conversation.transcript import Usage

_UNREACHABLE_IN_A_ROW = 5
"""After so many conversations for which the judge could not be reached, the run stops."""


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """What a run did."""

    evaluated: int
    """Conversations that the judge was asked about."""
    cached: int
    """Conversations with nothing left to ask."""
    failed: int
    """Conversations that could not be evaluated at all."""
    skipped: int
    """Conversations of agents that are not among those given."""
    left: int
    """Conversations that were not reached because the run stopped early."""
    answers: int
    """New verdicts and values."""
    answer_errors: int
    """Questions that the judge failed on; the next run asks them again."""
    usage: tuple[Usage, ...]
    """By judge."""
    cost_usd: float | None
    """None when the price of one judge is not known; 0.0 for embedded judges."""
    elapsed_s: float
    failures: Mapping[str, str]
    """Conversation ids, and why each failed."""
    stopped: str | None = None
    """Why the run stopped early, when it did."""
    cost_at_least_usd: float = 0.0
    """Of the judges whose price is known."""
    elsewhere: int = 0
    """Conversations that another run was asking about at the same time."""
    stopped_agents: Mapping[str, str] = field(default_factory=dict[str, str])
    """Agents whose judge cannot be used, and why; the others were judged."""
    refused_agents: Mapping[str, str] = field(default_factory=dict[str, str])
    """Those of them whose judge is not set up: no later run gets further by itself."""
    contradictions: int = 0
    """Verdicts that contradicted their reason, and were asked again."""
    undecided: int = 0
    """Those of them that did so once more: their verdict is unknown."""
    first_error: str | None = None
    """Why the first question has no answer that the judge failed on."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """What came of one conversation."""

    planned: PlannedConversation
    transcript_sha256: str
    result: AnalysisResult
    error: str | None = None
    unreachable: bool = False
    elsewhere: bool = False
    """Another run asks about it at this moment, or has just done so."""
    setup_error: ModelSetupError | None = None
    """The judge turned out not to be set up: nothing is recorded of the conversation."""


@dataclass(slots=True)
class Tally:
    """Counts of a run while it goes on."""

    failures: dict[str, str]
    done: int = 0
    answers: int = 0
    answer_errors: int = 0
    usages: list[Usage] = field(default_factory=list[Usage])
    unreachable_in_a_row: Counter[str] = field(default_factory=Counter[str])
    """By agent."""
    elsewhere: int = 0
    stopped: str | None = None
    """Why the whole run stops."""
    stopped_agents: dict[str, str] = field(default_factory=dict[str, str])
    refusals: dict[str, ModelError] = field(default_factory=dict[str, ModelError])
    """Of the stopped agents, what their judges raised."""
    contradictions: Counter[str] = field(default_factory=Counter[str])
    """By what came of asking again."""
    first_error: str | None = None

    def add(self, analysed: Analysed) -> None:
        """Count one conversation, and decide whether to go on."""
        self.done += 1
        if analysed.elsewhere:
            self.elsewhere += 1
            return
        result = analysed.result
        if analysed.error:
            self.failures[result.conversation_id] = analysed.error
        errors = [answer.error for answer in (*result.evaluations, *result.collected)]
        self.answer_errors += sum(error is not None for error in errors)
        self.first_error = self.first_error or next(filter(None, errors), None)
        self.answers += sum(error is None for error in errors)
        self.contradictions.update(
            each.contradiction for each in result.evaluations if each.contradiction
        )
        if result.usage:
            self.usages.append(result.usage)
        unreachable = analysed.unreachable or result.unreachable
        agent_id = analysed.planned.agent_id
        in_a_row = self.unreachable_in_a_row[agent_id] + 1 if unreachable else 0
        self.unreachable_in_a_row[agent_id] = in_a_row
        if in_a_row >= _UNREACHABLE_IN_A_ROW:
            self.stopped_agents[agent_id] = (
                f"The judge could not be reached for {_UNREACHABLE_IN_A_ROW} conversations in a "
                "row. Check its endpoint and run again: what is answered stays answered."
            )

    def stop_agent(self, agent_id: str, error: ModelError) -> None:
        """Begin no further conversation of an agent: its judge turned out to be unusable."""
        self.stopped_agents[agent_id] = str(error)
        self.refusals[agent_id] = error

    def raise_if_no_agent_is_left(self, plan: EvaluationPlan) -> None:
        """Raise what the judges raised when no agent of `plan` could be judged.

        Raises:
            ModelError: With every agent and its reason, where they differ.
        """
        if not self.refusals or {p.agent_id for p in plan.conversations} - self.refusals.keys():
            return
        errors = list(self.refusals.values())
        if len({str(error) for error in errors}) == 1:
            raise errors[0]
        raise ModelSetupError(_by_agent(self.stopped_agents))

    def run(self, plan: EvaluationPlan, elapsed_s: float) -> EvaluationRun:
        """Return the counts of the finished run."""
        by_model: dict[str, Usage] = {}
        for usage in self.usages:
            before = by_model.get(usage.model)
            by_model[usage.model] = _sum(before, usage) if before else usage
        costs = [usage.cost_usd for usage in by_model.values()]
        known = sum(usage.cost_usd for usage in self.usages if usage.cost_usd is not None)
        asked_and_failed = len(self.failures) - len(plan.unreadable)
        return EvaluationRun(
            evaluated=self.done - asked_and_failed - self.elsewhere,
            cached=plan.cached,
            failed=len(self.failures),
            skipped=plan.skipped,
            left=len(plan.conversations) - self.done,
            answers=self.answers,
            answer_errors=self.answer_errors,
            usage=tuple(by_model.values()),
            cost_usd=known if costs and None not in costs else None,
            cost_at_least_usd=known,
            elapsed_s=elapsed_s,
            failures=self.failures,
            stopped=self.stopped or _by_agent(self.stopped_agents) or None,
            elsewhere=self.elsewhere,
            stopped_agents=self.stopped_agents,
            refused_agents={
                agent_id: str(error)
                for agent_id, error in self.refusals.items()
                if isinstance(error, ModelSetupError)
            },
            contradictions=self.contradictions.total(),
            undecided=self.contradictions["unresolved"],
            first_error=self.first_error,
        )


def _by_agent(reasons: Mapping[str, str]) -> str:
    return "\n".join(
        f"Agent {agent_id!r} was not judged to the end: {reason}"
        for agent_id, reason in sorted(reasons.items())
    )


def _sum(first: Usage, second: Usage) -> Usage:
    costs = (first.cost_usd, second.cost_usd)
    return second.model_copy(
        update={
            "input_tokens": first.input_tokens + second.input_tokens,
            "cached_input_tokens": first.cached_input_tokens + second.cached_input_tokens,
            "output_tokens": first.output_tokens + second.output_tokens,
            "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
            "source": "estimated" if "estimated" in (first.source, second.source) else "measured",
            "calls": first.calls + second.calls,
        }
    )
