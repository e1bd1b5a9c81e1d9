"""What litellm's table says that tokens cost."""

from typing import Any


def table_price_usd(
    litellm: Any, model: str, *, read: int, written: int, cached: int = 0
) -> float | None:
    """Return the price of so many tokens in US dollars; None when the table has none."""
    try:
        prompt_usd, answer_usd = litellm.cost_per_token(
            model=model,
            prompt_tokens=read,
            completion_tokens=written,
            cache_read_input_tokens=cached,
        )
    except Exception:  # litellm raises a bare Exception for a model without a price
        return None
    return float(prompt_usd + answer_usd)
