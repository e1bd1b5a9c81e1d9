"""What one turn may take of models: calls, money and time, whatever the models answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from conversation.agent.config import LLMConfig
from conversation.errors import TurnLimitError
from conversation.llm.chat_model import CompletionOptions
from conversation.transcript import LLMCall


@dataclass(slots=True)
class TurnBudget:
    """The account of one turn. Time that tools and searches take has bounds of its own."""

    calls: Sequence[LLMCall]
    """Of the turn, as they are written down."""
    _asked: int = 0
    _waited_s: float = 0.0
    _began_with: int = field(init=False)
    """Calls that others made before, e.g. for the summary."""

    def __post_init__(self) -> None:
        self._began_with = len(self.calls)

    def calls_left(self, llm: LLMConfig) -> int:
        """How many calls the turn may still make. Those that failed count."""
        made = max(self._asked, len(self.calls) - self._began_with)
        return llm.max_calls_per_turn - made

    def limited(self, llm: LLMConfig, options: CompletionOptions) -> CompletionOptions:
        """`options` of the next call, with the time that is left; the call counts from now on.

        Raises:
            TurnLimitError: The turn may not call a model again.
        """
        if self.calls_left(llm) <= 0:
            raise TurnLimitError(
                f"The turn was not done after {llm.max_calls_per_turn} calls of the model. Raise "
                "`llm.max_calls_per_turn`, or look at which tools it asked for."
            )
        most_usd = llm.max_cost_per_turn_usd
        spent_usd = sum(call.usage.cost_usd or 0.0 for call in self.calls[self._began_with :])
        if most_usd is not None and spent_usd >= most_usd:
            raise TurnLimitError(
                f"The turn cost {spent_usd:.2f} USD before it was done. Raise "
                "`llm.max_cost_per_turn_usd`, or name a cheaper model."
            )
        self._asked += 1
        if not llm.total_timeout_s:
            return options
        left_s = llm.total_timeout_s - self._waited_s
        if left_s <= 0:
            raise TurnLimitError(
                f"The calls of the model took {self._waited_s:.0f} s before the turn was done. "
                "Raise `llm.total_timeout_s`, or name a faster model."
            )
        return replace(options, total_timeout_s=min(left_s, options.total_timeout_s or left_s))

    def wait(self, seconds: float) -> None:
        """A call of a model took so long."""
        self._waited_s += max(0.0, seconds)
