"""A model that was likely to say that it does not know says so, before it has made anything up."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions, Doubt
from conversation.llm.generator import TwinChatModel
from conversation.llm.providers.litellm_model import LiteLLMGenerator
from conversation.llm.providers.streamed_answer import is_in_doubt
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub

DOUBT = Doubt("I don't know.", 0.2)
PROMPT = [ChatMessage("user", "Who designed the logo?")]


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with openai_stub() as running:
        yield running


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ({"The": 0.6, "I": 0.3}, True),
        ({"The": 0.6, "I": 0.1}, False),
        ({"The": 0.6, "I": 0.1, " I": 0.1}, True),
        ({"The": 0.6, "I don": 0.3}, True),
        ({"I": 0.5, "The": 0.4}, False),  # it says so itself, or something else about itself
        ({"The": 0.6, "It": 0.3}, False),
        ({"The": 0.6, "In": 0.3}, False),
        ({"The": 0.6, "": 0.3, " ": 0.1}, False),
        ({}, False),
    ],
)
def test_doubt_is_the_share_of_its_words(shares: dict[str, float], expected: bool):
    logprobs = {token: math.log(share) for token, share in shares.items()}

    assert is_in_doubt(logprobs, DOUBT) == expected


@given(st.dictionaries(st.text(max_size=4), st.floats(-30, 0), max_size=20))
def test_more_doubt_is_needed_for_a_larger_share(logprobs: dict[str, float]):
    found = [is_in_doubt(logprobs, Doubt(DOUBT.words, share / 20)) for share in range(1, 21)]

    assert found == sorted(found, reverse=True)


def test_what_would_have_been_made_up_is_never_said(stub: OpenAIStub):
    stub.script.append(
        Reply(pieces=("The ", "logo ", "is ", "mine."), top_logprobs={"The": -0.9, "I": -1.1})
    )
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url, api_key="k"))

    *said, completion = model.stream(PROMPT, CompletionOptions(doubt=DOUBT))

    assert said == ["I don't know."]
    assert isinstance(completion, Completion)
    assert (completion.text, completion.finish_reason) == ("I don't know.", "stop")
    assert completion.usage.source == "estimated"


@pytest.mark.parametrize("doubt", [None, DOUBT])
def test_a_model_that_is_sure_or_is_not_asked_goes_on(stub: OpenAIStub, doubt: Doubt | None):
    likely = -3.0 if doubt else -0.9
    stub.script.append(Reply(pieces=("By ", "Ada."), top_logprobs={"By": -0.5, "I": likely}))
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url, api_key="k"))

    completion = model.complete(PROMPT, CompletionOptions(doubt=doubt))

    assert completion.text == "By Ada."
    assert "logprobs" not in stub.requests[0]  # other providers are not asked for them
