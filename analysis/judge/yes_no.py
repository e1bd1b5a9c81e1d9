"""Yes-or-no questions whose answer carries a probability."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from analysis.judge.asking import Meter, Question, ask_twice
from analysis.judge.prompts import YES_BIAS
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.llm.providers.lenient_json import without_reasoning

ONE_WORD = CompletionOptions(max_output_tokens=2, top_logprobs=20)
_MIN_WORD_MASS = 0.02
_FEW_WORDS = 4
"""Around the one word that was asked for: "Answer: yes"."""


@dataclass(frozen=True, slots=True)
class OneWord:
    """A one-word answer."""

    is_yes: bool
    """With the judge's bias to yes corrected, where the log-odds are known."""
    log_odds: float | None
    """Natural logarithm of P(yes) / P(no), as the judge gave it."""


def ask_word(
    messages: Sequence[ChatMessage], *, meter: Meter, bias: float = YES_BIAS
) -> Question[OneWord]:
    """Ask a yes-or-no question.

    Args:
        messages: The prompt.
        meter: Receives the usage of each call.
        bias: Log-odds of yes up to which the answer is no; it belongs to the wording.

    Raises:
        ModelError: The judge failed, or answered twice with neither.
    """
    parse = partial(read_word, bias=bias)
    return (yield from ask_twice(messages, ONE_WORD, parse=parse, meter=meter))


def yes_log_odds(top_logprobs: Mapping[str, float]) -> float | None:
    """Return the log-odds of yes against no over all their spellings.

    None when both together are no likely answer.
    """
    mass = {"yes": 1e-9, "no": 1e-9}
    for token, logprob in top_logprobs.items():
        word = token.strip().strip(".,\"'").casefold()
        if word in mass:
            mass[word] += math.exp(logprob)
    if mass["yes"] + mass["no"] < _MIN_WORD_MASS:
        return None
    return math.log(mass["yes"] / mass["no"])


def probability(log_odds: float) -> float:
    """Return the probability with these log-odds."""
    return 1 / (1 + math.exp(-log_odds))


def read_word(completion: Completion, *, bias: float = YES_BIAS) -> OneWord:
    """Read the one word that was asked for.

    Raises:
        ModelOutputError: It is neither.
    """
    log_odds = yes_log_odds(completion.top_logprobs or {})
    if log_odds is not None:
        return OneWord(log_odds > bias, log_odds)
    said = re.findall(r"[a-z]+", without_reasoning(completion.text).casefold())
    told = {word for word in said[:_FEW_WORDS] if word in ("yes", "no")}
    if said[:1] in (["yes"], ["no"]):
        return OneWord(said[0] == "yes", None)
    if len(told) == 1:
        return OneWord(told == {"yes"}, None)
    raise ModelOutputError(f"expected yes or no, got {completion.text[:40]!r}.")
