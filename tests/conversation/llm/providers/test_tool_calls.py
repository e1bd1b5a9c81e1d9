"""Tool calls of providers: the real litellm path against a scripted endpoint on a real socket."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from conversation.llm.chat_model import (
    ChatMessage,
    Completion,
    CompletionOptions,
    OfferedTool,
    RequestedTool,
)
from conversation.llm.generator import TwinChatModel, calls_tools
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.litellm_model import LiteLLMGenerator
from conversation.llm.providers.tool_calls import ToolCallParts
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub
from tests.fakes import ScriptedChatModel

ORDER = OfferedTool(
    "order_status",
    "Look up an order.",
    {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]},
)
PROMPT = [ChatMessage("user", "Where are my orders 5 and 6?")]


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with openai_stub() as running:
        yield running


def test_tools_are_offered_and_requests_for_them_come_with_the_completion(stub: OpenAIStub):
    stub.script = [
        Reply(
            pieces=("Let me look.",),
            tool_calls=(("order_status", '{"order": 5}'), ("order_status", "")),
            finish_reason="tool_calls",
        )
    ]
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url))

    *texts, completion = model.stream(PROMPT, CompletionOptions(tools=(ORDER,)))

    assert isinstance(completion, Completion)
    assert texts == ["Let me look."]
    assert completion.text == "Let me look."
    assert completion.requested_tools == (
        RequestedTool("order_status", '{"order": 5}'),
        RequestedTool("order_status", "{}"),
    )
    (offered,) = stub.requests[0]["tools"]
    assert offered["function"]["name"] == "order_status"
    assert offered["function"]["parameters"] == ORDER.parameters


@pytest.mark.parametrize(
    ("arguments", "asked"), [('{"order": 5}', '{"order": 5}'), ("", "{}"), ("{}", "{}")]
)
def test_the_older_form_of_a_call_is_a_call(stub: OpenAIStub, arguments: str, asked: str):
    stub.script = [
        Reply(
            pieces=("Let me look.",),
            function_call=("order_status", arguments),
            finish_reason="function_call",
        )
    ]
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url))

    completion = model.complete(PROMPT, CompletionOptions(tools=(ORDER,)))

    assert completion.text == "Let me look."
    assert completion.requested_tools == (RequestedTool("order_status", asked),)


def test_a_call_that_comes_in_both_forms_is_one_call(stub: OpenAIStub):
    call = ("order_status", '{"order": 5}')
    stub.script = [
        Reply(pieces=(), tool_calls=(call,), function_call=call, finish_reason="tool_calls")
    ]
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url))

    completion = model.complete(PROMPT, CompletionOptions(tools=(ORDER,)))

    assert completion.requested_tools == (RequestedTool(*call),)


def test_without_tools_none_are_offered(stub: OpenAIStub):
    model = TwinChatModel(LiteLLMGenerator("openai/stub", api_base=stub.base_url))

    assert model.complete(PROMPT).requested_tools == ()
    assert "tools" not in stub.requests[0]


@pytest.mark.parametrize(
    ("model", "fallbacks", "expected"),
    [
        ("openai/gpt-4.1-mini", (), True),
        ("anthropic/claude-sonnet-4-5", ("openai/gpt-4.1-mini",), True),
        ("openai/gpt-4.1-mini", ("embedded/qwen2.5-coder-1.5b-instruct",), False),
        ("embedded/qwen2.5-coder-1.5b-instruct", (), False),
        ("embedded/extractive", (), False),
    ],
)
def test_which_models_have_tool_calls(model: str, fallbacks: tuple[str, ...], expected: bool):
    assert calls_tools(open_chat_model(model, fallbacks=fallbacks)) is expected


def test_a_model_that_does_not_say_has_no_tool_calls():
    assert not calls_tools(ScriptedChatModel())


def piece(index: int | None, name: str, arguments: str, call_id: str | None = None) -> object:
    function = SimpleNamespace(name=name or None, arguments=arguments)
    return SimpleNamespace(index=index, id=call_id, function=function)


@pytest.mark.parametrize(
    ("pieces", "asked"),
    [
        ([(0, "a", '{"n": 1}', "x"), (0, "a", '{"n": 2}', "y")], ['{"n": 1}', '{"n": 2}']),
        ([(0, "a", '{"n": 1}', None), (0, "a", '{"n": 2}', None)], ['{"n": 1}', '{"n": 2}']),
        ([(None, "a", "", None), (None, "b", "", None)], ["{}", "{}"]),
        ([(0, "a", '{"n"', "x"), (0, "a", ": 1}", "x")], ['{"n": 1}']),
        ([(0, "a", '{"n"', None), (0, "a", ": 1}", None), (0, "a", "", None)], ['{"n": 1}']),
        ([(0, "a", "", "x"), (0, "", '{"n": 1}', None)], ['{"n": 1}']),
        ([(0, "a", "{", "x"), (1, "b", "{", "y"), (0, "", "}", None)], ["{}", "{"]),
    ],
)
def test_calls_are_told_apart_also_when_all_have_one_number(
    pieces: list[tuple[int | None, str, str, str | None]], asked: list[str]
):
    parts = ToolCallParts()
    for each in pieces:
        parts.take([piece(*each)])

    assert [request.arguments for request in parts.requested()] == asked
