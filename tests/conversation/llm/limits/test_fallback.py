"""Whose turn it is when a model fails: time for everybody, no word twice, own endpoints."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conversation.agent.models.llm_config import FallbackLLM, LLMConfig
from conversation.errors import ModelOutputError, ModelSetupError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions, OfferedTool
from conversation.llm.generator import TwinChatModel
from conversation.llm.limits.continuing import Continuation
from conversation.llm.limits.fallback import FallbackGenerator
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.litellm_model import load_litellm
from conversation.transcript import Usage
from tests.conversation.llm.limits.test_retries import ScriptedGenerator
from tests.conversation.llm.openai_stub import Reply, openai_stub

ASK = [ChatMessage("user", "How long do refunds take?")]


class Silent(ScriptedGenerator):
    """Uses up what it is given."""

    def __init__(self, model: str, clock: list[float]) -> None:
        super().__init__(model=model)
        self._clock = clock
        self.given_s: list[float | None] = []

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        self.given_s.append(options.total_timeout_s)
        self._clock[0] += options.total_timeout_s or 0.0
        if messages:
            raise ModelUnavailableError("silent")
        yield ""


@pytest.mark.parametrize("silent", [1, 2, 3])
def test_the_last_model_is_always_asked(silent: int):
    clock = [0.0]
    quiet = [Silent(f"a/{number}", clock) for number in range(silent)]
    last = ScriptedGenerator(["14 days."], model="b/last")
    model = TwinChatModel(FallbackGenerator([*quiet, last], clock=lambda: clock[0]))

    completion = model.complete(ASK, CompletionOptions(total_timeout_s=180.0))

    assert completion.text == "14 days."
    assert [each.given_s for each in quiet] == [
        [pytest.approx(180.0 / (silent + 1))] for _ in quiet
    ]


def test_a_silent_server_leaves_time_for_the_fallback():
    load_litellm()  # takes seconds, once
    with openai_stub(*[Reply(first_token_delay_s=5.0)] * 3) as silent, openai_stub() as other:
        other.script = [Reply(pieces=("From b.",))]
        model = open_chat_model(
            "openai/a",
            api_base=silent.base_url,
            fallbacks=[FallbackLLM(model="openai/b", api_base=other.base_url)],
        )
        options = CompletionOptions(first_token_timeout_s=1.0, total_timeout_s=6.0)
        *_, completion = model.stream(ASK, options)

    assert isinstance(completion, Completion)
    assert completion.text == "From b."


REPEATS = [
    ("Refunds take ", "14 days.", "14 days."),
    ("Refunds take ", "Refunds take 14 days.", "14 days."),
    ("Refunds ta", "Refunds take 14 days.", "ke 14 days."),
    ("Refunds take", "Refunds take 14 days.", " 14 days."),
    ("All of the refunds take", "refunds take 14 days.", " 14 days."),
    ("All refunds ta", "refunds take 14 days.", "ke 14 days."),
    ("It is ", "is 14 days.", "is 14 days."),
    ("the cat the cat sat", "the cat sat down", " down"),
    ("Refunds take 14 days.", "Refunds take 14 days.", ""),
    ("Refunds take 14 days. They", "Refunds take", ""),
    ("Erstattungen dauern\n", "Erstattungen  dauern 14 Tage", "14 Tage"),
    ("退款需要", "退款需要十四天", "十四天"),
    ("您的订单已经在", "已经在路上了。", "路上了。"),
    ("您的订单已经", "在路上了。", "在路上了。"),
    ("คำสั่งซื้อของ", "ซื้อของคุณ", "คุณ"),
    ("Your ord", "order is here.", "er is here."),
    ("Your order is", "is here.", " here."),
    ("Your b", "b is here.", "b is here."),
    ("Das Cafe\u0301 ist o", "Das Caf\u00e9 ist offen.", "ffen."),
    ("Das Cafe", "Das Cafe\u0301 ist offen.", " Das Cafe\u0301 ist offen."),
    ("They arrive", "on Friday.", " on Friday."),
    ("They arrive", "We send them.", " We send them."),
    ("They arrive", "tomorrow.", " tomorrow."),  # the prompt knows the word
    ("Orders are sent on Mon", "days only.", "days only."),
    ("It costs", "12 euros.", " 12 euros."),
    ("It costs 12", "5 euros.", "5 euros."),
    ("\u9000\u6b3e", "We pay.", "We pay."),
    ("The price is **5** and", "The price is 5 and more.", " more."),
    ("Your order is on", "Your Order, is on its way.", " its way."),
    ("It is on,", "it is on, you see.", " you see."),
    ("It is on", "it is on, you see.", ", you see."),
    ("Yes. It is **", "Yes. It is ** not", " not"),
    ("", "Hello", "Hello"),
    ("Refunds take", "", ""),
]


@pytest.mark.parametrize(("said", "again", "new"), REPEATS)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_was_said_is_not_said_twice(said: str, again: str, new: str, size: int):
    after = Continuation(said, known="When do they arrive?")
    shown = [after.take(again[at : at + size]) for at in range(0, len(again), size)]

    assert "".join([*shown, after.end()]) == new


words = st.lists(st.sampled_from(["a", "ab", "b", " ", "  ", "\n", "c."]), max_size=12).map("".join)


@given(words, words, st.lists(st.integers(1, 4)))
def test_pieces_change_nothing_and_only_a_beginning_is_cut(said: str, again: str, sizes: list[int]):
    whole, cut = Continuation(said), Continuation(said)
    expected = whole.take(again) + whole.end()
    shown, at = "", 0
    for size in sizes:
        shown += cut.take(again[at : at + size])
        at += size
    shown += cut.take(again[at:]) + cut.end()

    assert shown.split() == expected.split()
    assert again.endswith(shown.lstrip())


@pytest.mark.parametrize(
    ("said", "fails"), [("Refunds take ", True), ("Refunds take 5 days.", False)]
)
def test_an_answer_that_nobody_ends_has_failed(said: str, fails: bool):
    first = ScriptedGenerator([said, ModelUnavailableError("cut")], model="a/first")
    second = ScriptedGenerator([""], model="b/second")
    model = TwinChatModel(FallbackGenerator([first, second]))

    if not fails:
        assert model.complete(ASK).text == said
        return
    with pytest.raises(ModelOutputError, match="added nothing") as raised:
        model.complete(ASK)
    assert [each.model for each in raised.value.failed_attempts] == ["a/first", "b/second"]


def test_the_completion_is_what_was_said():
    first = ScriptedGenerator(["Refunds take ", ModelUnavailableError("cut")], model="a/first")
    second = ScriptedGenerator(["Refunds ", "take ", "14 days."], model="b/second")
    model = TwinChatModel(FallbackGenerator([first, second]))

    *texts, completion = model.stream(ASK)

    assert isinstance(completion, Completion)
    assert "".join(str(text) for text in texts) == completion.text == "Refunds take 14 days."


class Ending(ScriptedGenerator):
    """Says nothing, and ends for a reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(model="a/first")
        self._reason = reason

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        yield Completion("", Usage(model=self.model, output_tokens=3), self._reason)


@pytest.mark.parametrize(
    ("reason", "tools", "said"),
    [
        ("stop", (), "Hello!"),
        ("content_filter", (), "Hello!"),
        ("content_filter", (OfferedTool("x", "", {}),), "Hello!"),
        ("stop", (OfferedTool("x", "", {}),), ""),  # it wants no tool
    ],
)
def test_a_model_that_says_nothing_is_followed_by_the_next(
    reason: str, tools: tuple[OfferedTool, ...], said: str
):
    second = ScriptedGenerator(["Hello!"], model="b/second")
    model = TwinChatModel(FallbackGenerator([Ending(reason), second]))

    completion = model.complete(ASK, CompletionOptions(tools=tools))

    assert completion.text == said
    failed = [
        (each.model, each.usage and each.usage.output_tokens) for each in completion.failed_attempts
    ]
    assert failed == ([("a/first", 3)] if said else [])


def test_the_last_model_may_say_nothing():
    model = TwinChatModel(FallbackGenerator([Ending("stop"), Ending("content_filter")]))

    assert model.complete(ASK).finish_reason == "content_filter"


def test_half_a_thought_swallows_nothing_of_the_next_model():
    first = ScriptedGenerator(["<think>Let me ", ModelUnavailableError("cut")], model="a/first")
    second = ScriptedGenerator(["Hello!"], model="b/second")

    assert TwinChatModel(FallbackGenerator([first, second])).complete(ASK).text == "Hello!"


def test_two_endpoints_of_ones_own_back_each_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECOND_API_KEY", "second-key")
    with openai_stub(Reply(status=500)) as first, openai_stub(Reply(pieces=("Hi.",))) as second:
        llm = LLMConfig.model_validate(
            {
                "model": "openai/a",
                "api_base": first.base_url,
                "fallbacks": [
                    {
                        "model": "openai/a",
                        "api_base": second.base_url,
                        "api_key_variable": "SECOND_API_KEY",
                    }
                ],
            }
        )
        first.script = [Reply(status=400, message="no")]
        model = open_chat_model(llm.model, api_base=llm.api_base, fallbacks=llm.fallbacks)
        completion = model.complete(ASK)

        assert completion.text == "Hi."
        assert second.keys == ["Bearer second-key"]
        assert first.keys != second.keys


def test_a_key_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SECOND_API_KEY", raising=False)
    model = open_chat_model(
        "openai/a", api_base="http://127.0.0.1:9/v1", api_key_variable="SECOND_API_KEY"
    )

    with pytest.raises(ModelSetupError, match="SECOND_API_KEY"):
        model.complete(ASK)


@pytest.mark.parametrize("name", ["HOME", "PATH", "secret_key", "AWS_PROFILE", "A B_KEY", ""])
def test_only_keys_are_read_as_keys(name: str):
    with pytest.raises(ValidationError):
        FallbackLLM(model="openai/a", api_key_variable=name)
