"""What a provider of language models is: which model strings are its own, and what runs them."""

from collections.abc import Callable
from dataclasses import dataclass

from conversation.llm.generator import TextGenerator
from conversation.llm.limits.own_prices import TokenPrice
from kb.weights.folder import Weights


@dataclass(frozen=True, slots=True)
class WantedModel:
    """A model as it was asked for, with what the caller knows of it."""

    model: str
    """The model string."""
    api_base: str | None = None
    """Endpoint of a self-hosted provider; None for its own."""
    api_key_variable: str | None = None
    """Environment variable with the key; None for the provider's usual one."""
    api_key: str | None = None
    """In place of any key of the environment; empty for none."""
    weights: Weights | None = None
    """Where embedded models lie; None for the user's cache folder."""
    context: int | None = None
    """Tokens that it reads at once, where the settings say so."""
    price: TokenPrice | None = None
    """What its tokens cost, where the settings say so."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One way to reach language models, as `known_providers` registers it."""

    takes: Callable[[str], bool]
    """Whether a model string is one of its own."""
    open: Callable[[WantedModel], TextGenerator]
    """Makes what runs the model. Nothing is loaded or called yet."""
    may_fail: bool = True
    """Whether calls can fail or be too many: they get deadlines, retries and a rate limit then."""
