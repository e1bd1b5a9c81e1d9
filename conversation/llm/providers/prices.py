"""What a call of a language model costs, known before it is made."""

from conversation.llm.providers.litellm_model import load_litellm


def price_usd(model: str, input_tokens: int, output_tokens: int) -> float | None:
    """Return the price of so many tokens, from litellm's table; None when it has none.

    Cached prefixes are not taken off: it is the most that the tokens can cost. Embedded models cost
    nothing.
    """
    if model.startswith("embedded/"):
        return 0.0
    litellm = load_litellm()
    try:
        prompt_usd, answer_usd = litellm.cost_per_token(
            model=model, prompt_tokens=input_tokens, completion_tokens=output_tokens
        )
    except Exception:  # litellm raises a bare Exception for a model without a price
        return None
    return float(prompt_usd + answer_usd)
