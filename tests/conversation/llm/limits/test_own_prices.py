"""Prices of models that litellm does not know."""

import pytest

from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.llm.limits.own_prices import parse_prices
from conversation.llm.open_model import open_chat_model
from tests.conversation.llm.openai_stub import openai_stub


def test_prices_are_of_a_million_tokens():
    prices = parse_prices("openai/own=0.25/1.00, ollama/big = 2/3,")
    assert prices["openai/own"].of(2_000_000, 500_000) == pytest.approx(1.0)
    assert prices["ollama/big"].of(1_000, 0) == pytest.approx(0.002)


@pytest.mark.parametrize("text", ["own=1/2", "openai/own=1", "openai/own=-1/2", "openai/own=a/b"])
def test_what_is_no_price_is_refused(text: str):
    with pytest.raises(ValueError, match="is no price"):
        parse_prices(text)


def test_usage_is_priced_by_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with openai_stub() as stub:
        model = open_chat_model(
            "openai/own", api_base=stub.base_url, prices=parse_prices("openai/own=1000/100000")
        )
        usage = model.complete([ChatMessage("user", "Hello")], CompletionOptions()).usage
    assert usage.cost_usd == pytest.approx((11 * 1000 + 5 * 100_000) / 1_000_000)
