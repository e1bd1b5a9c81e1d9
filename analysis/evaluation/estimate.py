"""What an evaluation run would cost, told before any judge is asked, and kept within a budget."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.errors import BudgetError
from analysis.evaluation.plan import EvaluationPlan, PlannedConversation
from analysis.fields.field_kind import MAX_CLASSES
from analysis.judge.prompts import default_variant
from analysis.judge.windows import window_tokens
from conversation.agent.criteria import DataCollectionField
from conversation.agent.models.judges import panel_members
from conversation.llm.providers.prices import usual_context_tokens
from conversation.transcript import Usage

Price = Callable[[str, int, int], float | None]
"""Model string, input and output tokens -> US dollars; None when no price is known."""

_CHARS_PER_TOKEN = 3.5
"""A little under what English takes, so that estimates err on the safe side."""
_PROMPT_TOKENS = 180
"""Rules, tags, turn numbers and the wording of one question."""
_OVERLAP = 1.25
"""Windows repeat up to a quarter of the one before."""
_VERDICT_TOKENS = 120
_WORD_TOKENS = 2
_VALUE_TOKENS = 40
_SUMMARY_TOKENS = 70


@dataclass(frozen=True, slots=True)
class ModelEstimate:
    """What one judge would be asked."""

    model: str
    calls: int
    input_tokens: int
    """Without anything taken off for cached prefixes, which most providers charge less for."""
    output_tokens: int
    cost_usd: float | None
    """None when no price is known."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a run would ask, and about what that costs."""

    conversations: int
    questions: int
    """Criteria, fields and summaries without an answer."""
    by_model: tuple[ModelEstimate, ...]

    @property
    def tokens(self) -> int:
        """Input and output tokens of every judge."""
        return sum(each.input_tokens + each.output_tokens for each in self.by_model)

    @property
    def cost_usd(self) -> float | None:
        """Sum over the judges; None when the price of one is not known."""
        costs = [each.cost_usd for each in self.by_model]
        return None if None in costs else sum(cost for cost in costs if cost is not None)


@dataclass(slots=True)
class _Asked:
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def estimate_plan(plan: EvaluationPlan, price: Price) -> CostEstimate:
    """Return what a run of `plan` would cost. Asks no model."""
    calls: Counter[str] = Counter()
    read: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for planned in plan.conversations:
        for model, asked in _asked_of(planned).items():
            calls[model] += asked.calls
            read[model] += asked.input_tokens
            written[model] += asked.output_tokens
    by_model = tuple(
        ModelEstimate(
            model,
            calls[model],
            read[model],
            written[model],
            price(model, read[model], written[model]),
        )
        for model in sorted(calls)
    )
    return CostEstimate(len(plan.conversations), plan.question_count, by_model)


def estimate_conversation(planned: PlannedConversation, price: Price) -> tuple[int, float | None]:
    """Return the tokens and the US dollars that one conversation would take."""
    tokens, usd = 0, 0.0
    for model, asked in _asked_of(planned).items():
        tokens += asked.input_tokens + asked.output_tokens
        cost = price(model, asked.input_tokens, asked.output_tokens)
        if cost is None:
            return tokens, None
        usd += cost
    return tokens, usd


class Budget:
    """Starts a conversation only while what it is expected to take still fits.

    Expectations are raised by the worst one so far that was exceeded, so that a judge that writes
    more than others does not break the bank conversation by conversation.
    """

    def __init__(
        self, price: Price, *, max_usd: float | None = None, max_tokens: int | None = None
    ) -> None:
        self._price = price
        self._max_usd = max_usd
        self._max_tokens = max_tokens
        self._spent_usd = 0.0
        self._spent_tokens = 0
        self._worst = 1.0
        self._under_way: dict[str, tuple[int, float]] = {}

    def require_prices(self, plan: EvaluationPlan) -> None:
        """Refuse a budget in dollars where the price of a judge is not known.

        Raises:
            BudgetError: Names the judges, and what to do.
        """
        if self._max_usd is None:
            return
        models = {model for planned in plan.conversations for model in planned.judges}
        unknown = sorted(model for model in models if self._price(model, 1_000, 1_000) is None)
        if unknown:
            raise BudgetError(
                f"A budget of {self._max_usd} USD cannot be kept: no price is known for "
                f"{', '.join(unknown)}. Give a budget in tokens instead (max_tokens)."
            )

    def admits(self, planned: PlannedConversation) -> str | None:
        """Take note that `planned` begins; or return why it must not."""
        if self._max_usd is None and self._max_tokens is None:
            return None
        tokens, usd = estimate_conversation(planned, self._price)
        pending_tokens = sum(each for each, _ in self._under_way.values()) + tokens
        pending_usd = sum(each for _, each in self._under_way.values()) + (usd or 0.0)
        expected_tokens = self._spent_tokens + self._worst * pending_tokens
        expected_usd = self._spent_usd + self._worst * pending_usd
        if self._max_usd is not None and expected_usd > self._max_usd:
            return (
                f"The budget is used up: {self._spent_usd:.4f} of {self._max_usd:.4f} USD are "
                f"spent, and the next conversation takes about {self._worst * (usd or 0.0):.4f}."
            )
        if self._max_tokens is not None and expected_tokens > self._max_tokens:
            return (
                f"The budget is used up: {self._spent_tokens:,} of {self._max_tokens:,} tokens "
                f"are spent, and the next conversation takes about {self._worst * tokens:,.0f}."
            )
        self._under_way[planned.conversation_id] = tokens, usd or 0.0
        return None

    def book(self, planned: PlannedConversation, usage: Usage | None) -> None:
        """Take note of what a conversation took."""
        expected = self._under_way.pop(planned.conversation_id, None)
        if usage is None:
            return
        tokens = usage.input_tokens + usage.output_tokens
        self._spent_tokens += tokens
        self._spent_usd += usage.cost_usd or 0.0
        if expected is not None:
            self._worst = max(self._worst, tokens / max(1, expected[0]))


def _asked_of(planned: PlannedConversation) -> Mapping[str, _Asked]:
    """Return what each judge would be asked about one conversation."""
    asked: dict[str, _Asked] = {}

    def add(
        model: str,
        calls: int,
        question_chars: int,
        output_tokens: int,
        *,
        together: bool = False,
        reads: bool = True,
    ) -> None:
        windows = _windows(planned.chars, model)
        shown = (
            (planned.chars if reads else 0) * (1 if windows == 1 else _OVERLAP) / _CHARS_PER_TOKEN
        )
        question = _PROMPT_TOKENS + question_chars / _CHARS_PER_TOKEN
        # Parts that are judged are judged together once more.
        more = 1 if together and windows > 1 else 0
        each = asked.setdefault(model, _Asked())
        each.calls += calls * (windows + more)
        each.input_tokens += round(
            calls * (shown + windows * question + more * (question + windows * _VERDICT_TOKENS))
        )
        each.output_tokens += output_tokens * (windows + more)

    for criterion in planned.missing.criteria:
        if criterion.kind != "judged":
            continue
        for model in panel_members(criterion.judge or planned.judge):
            variant = criterion.variant or planned.variant or default_variant(model)
            calls, words = (2, _WORD_TOKENS) if variant == "logprobs" else (1, 0)
            add(model, calls, len(criterion.prompt), _VERDICT_TOKENS + words, together=True)
            if variant == "logprobs" and criterion.scale is None:
                # What its own reason says, asked without the transcript.
                add(model, 1, len(criterion.prompt), _WORD_TOKENS, together=True, reads=False)
    members = panel_members(planned.judge)
    if fields := planned.missing.fields:
        described = sum(len(field.description) + 40 for field in fields)
        confirmed = sum(map(_confirmations, fields))
        for model in members:
            variant = planned.variant or default_variant(model)
            checks = confirmed if variant == "logprobs" else 0
            add(model, 1, described, _VALUE_TOKENS * len(fields))
            if checks:
                add(model, checks, 120, checks * _WORD_TOKENS)
    if planned.missing.summary:
        add(members[0], 1, 0, _SUMMARY_TOKENS)
    return asked


def _windows(chars: int, model: str) -> int:
    """Return in how many windows a judge reads so many characters."""
    room = int(window_tokens(usual_context_tokens(model)) * _CHARS_PER_TOKEN)
    return 1 if chars <= room else -(-chars // (room * 3 // 4))


def _confirmations(field: DataCollectionField) -> int:
    """Return how many yes-or-no questions the value of a field takes, at most."""
    if field.enum and field.type == "string":
        return min(len(field.enum), MAX_CLASSES)
    return int(field.type in ("integer", "number", "boolean"))
