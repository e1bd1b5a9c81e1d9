"""Providers are registered in one place, and whatever is around a model is around all of them."""

from pathlib import Path
from typing import Any

import pytest

from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.errors import ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, Completion
from conversation.llm.known_providers import PROVIDERS
from conversation.llm.open_model import open_chat_model

GUIDE = Path(__file__).parents[3] / ".github" / "CONTRIBUTING.md"
HELLO = [ChatMessage("user", "Say what I say")]


@pytest.fixture
def example() -> dict[str, Any]:
    section = GUIDE.read_text("utf-8").partition("## Add a language-model provider")[2]
    names: dict[str, Any] = {}
    exec(section.partition("```python\n")[2].partition("```")[0], names)
    return names


def test_the_provider_of_the_contributing_guide_works(example: dict[str, Any]):
    model = open_chat_model("acme/echo", providers=(example["ECHO"], *PROVIDERS))

    model.check()
    streamed = list(model.stream(HELLO))
    said = model.complete(HELLO)

    assert model.model == "acme/echo"
    assert said.text == "Say what I say"
    assert said.usage.output_tokens == 4
    assert "".join(each for each in streamed if isinstance(each, str)) == said.text
    assert isinstance(streamed[-1], Completion)


def test_it_answers_where_another_fails(example: dict[str, Any]):
    tries: list[str] = []

    class Failing(example["EchoGenerator"]):
        async def generate(self, messages: Any, options: Any):
            tries.append(self.model)
            busy = ModelUnavailableError("gone")
            busy.retry_after_s = 600.0
            raise busy
            yield

    failing = example["Provider"](
        lambda model: model == "acme/broken", lambda wanted: Failing(wanted.model)
    )
    model = open_chat_model(
        "acme/broken", fallbacks=["acme/echo"], providers=(failing, example["ECHO"], *PROVIDERS)
    )

    said = model.complete(HELLO)

    assert (said.text, said.usage.model) == ("Say what I say", "acme/echo")
    assert [attempt.model for attempt in said.failed_attempts] == tries == ["acme/broken"]


@pytest.mark.parametrize("model", [EXTRACTIVE, "embedded/any", "openai/gpt", "nobody/nothing"])
def test_every_model_string_has_a_provider(model: str):
    assert open_chat_model(model).model == model
