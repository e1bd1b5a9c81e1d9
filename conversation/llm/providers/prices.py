"""What a call of a language model costs and how much it can hold, known before it is made."""

from conversation.llm.engine.server import EngineOptions
from conversation.llm.providers.price_table import table_price_usd


def price_usd(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price of so many tokens, from litellm's table; None when it has none.

    Cached prefixes are not taken off: it is the most that the tokens can cost. Embedded models cost
    nothing.
    """
    if model.startswith("embedded/"):
        return 0.0
    from conversation.llm.providers.litellm_model import load_litellm

    return table_price_usd(load_litellm(), model, read=input_tokens, written=output_tokens)


def usual_context_tokens(model: str) -> int | None:
    """Return how much a model reads at once, without looking for its weights; None: not known."""
    if model.startswith("embedded/"):
        return EngineOptions().slot_tokens
    from conversation.llm.providers.litellm_model import known_context_tokens

    return known_context_tokens(model)
