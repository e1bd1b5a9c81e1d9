"""Remote models: the real litellm path against a scripted endpoint on a real socket."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from conversation.errors import (
    ModelError,
    ModelOutputError,
    ModelSetupError,
    ModelUnavailableError,
)
from conversation.llm.chat_model import ChatMessage, ChatModel, Completion, CompletionOptions
from conversation.llm.generator import TwinChatModel, price_usd
from conversation.llm.limits.retries import ReliableGenerator, RetryPolicy
from conversation.llm.open_model import open_chat_model
from conversation.llm.providers.litellm_model import LiteLLMGenerator, load_litellm, warm_litellm
from tests.conversation.llm.openai_stub import OpenAIStub, Reply, openai_stub

PROMPT = [ChatMessage("system", "Be brief."), ChatMessage("user", "How long do refunds take?")]
SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"enum": ["success", "failure"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
ONCE = RetryPolicy(max_attempts=1)
QUICKLY = RetryPolicy(max_attempts=3, first_delay_s=0.01)


@pytest.fixture(autouse=True)
def clean_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with openai_stub() as running:
        yield running


def opened(stub: OpenAIStub, policy: RetryPolicy = ONCE) -> ChatModel:
    generator = LiteLLMGenerator("openai/stub", api_base=stub.base_url)
    return TwinChatModel(ReliableGenerator(generator, policy))


def read_until_error(
    stream: Iterator[str | Completion],
) -> tuple[list[str | Completion], ModelError | None]:
    got: list[str | Completion] = []
    try:
        for piece in stream:
            got.append(piece)
    except ModelError as error:
        return got, error
    return got, None


def test_a_stream_yields_deltas_and_ends_with_their_completion(stub: OpenAIStub):
    *deltas, completion = opened(stub).stream(PROMPT)

    assert deltas == ["Refunds ", "take ", "five days."]
    assert isinstance(completion, Completion)
    assert completion.text == "Refunds take five days."
    assert completion.finish_reason == "stop"
    assert completion.request_to_first_token_ms is not None
    assert stub.requests[0]["messages"][1] == {
        "role": "user",
        "content": "How long do refunds take?",
    }


async def test_streamed_and_buffered_answers_are_the_same(stub: OpenAIStub):
    model = opened(stub)
    *_, streamed = model.stream(PROMPT)
    *_, astreamed = [piece async for piece in model.astream(PROMPT)]
    buffered, abuffered = model.complete(PROMPT), await model.acomplete(PROMPT)

    answers = [streamed, astreamed, buffered, abuffered]
    assert all(isinstance(answer, Completion) for answer in answers)
    assert {(a.text, a.usage, a.finish_reason) for a in answers if isinstance(a, Completion)} == {
        (buffered.text, buffered.usage, buffered.finish_reason)
    }


def test_usage_is_measured_when_the_provider_reports_it(stub: OpenAIStub):
    usage = opened(stub).complete(PROMPT).usage

    assert (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens) == (11, 4, 5)
    assert usage.source == "measured"
    assert usage.cost_usd is None  # no price is known for this model


def test_usage_is_estimated_when_the_provider_is_silent(stub: OpenAIStub):
    stub.script.append(Reply(usage=None))

    usage = opened(stub).complete(PROMPT).usage

    assert usage.source == "estimated"
    assert (usage.input_tokens, usage.output_tokens) == (
        10,
        6,
    )  # 34 characters in two messages and 23, / 4, up


def test_a_known_model_has_a_price(stub: OpenAIStub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")

    model = open_chat_model("openai/gpt-4.1-mini", api_base=stub.base_url)

    # 7 new tokens at 0.40, 4 cached ones at 0.10 and 5 of the answer at 1.60 USD a million
    assert model.complete(PROMPT).usage.cost_usd == pytest.approx(11.2e-6)
    assert stub.keys == ["Bearer sk-right"]


def test_a_schema_is_sent_to_the_provider_and_checked(stub: OpenAIStub):
    stub.script.append(Reply(pieces=('{"verdict":', ' "success"}')))

    completion = opened(stub).complete(PROMPT, CompletionOptions(schema=SCHEMA))

    assert completion.text == '{"verdict": "success"}'
    assert stub.requests[0]["response_format"]["json_schema"]["schema"] == SCHEMA


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        ("Sure! It went well.", "stop", "is no JSON"),
        ('{"verdict": "maybe"}', "stop", "rule 'enum' is broken at verdict"),
        ('{"verdict": "succ', "length", "cut at its token limit"),
    ],
)
def test_an_answer_that_breaks_the_schema_is_an_error(
    stub: OpenAIStub, answer: str, reason: str, said: str
):
    stub.script.append(Reply(pieces=(answer,), finish_reason=reason))

    with pytest.raises(ModelOutputError, match=said):
        opened(stub, QUICKLY).complete(PROMPT, CompletionOptions(schema=SCHEMA))
    assert len(stub.requests) == 1, "the same question would get the same answer"


def test_first_token_probabilities_are_reported(stub: OpenAIStub):
    stub.script.append(Reply(pieces=("yes",), top_logprobs={"yes": -0.1, "no": -2.5}))

    completion = opened(stub).complete(PROMPT, CompletionOptions(top_logprobs=2))

    assert completion.top_logprobs == {"yes": -0.1, "no": -2.5}
    assert stub.requests[0]["top_logprobs"] == 2


def test_a_refused_key_names_the_variable(stub: OpenAIStub):
    stub.script += [Reply(status=401, message="Incorrect API key provided")]

    with pytest.raises(ModelSetupError, match=r"refused the key \(401\). Set OPENAI_API_KEY"):
        opened(stub, QUICKLY).check()
    assert len(stub.requests) == 1


def test_a_missing_key_is_said_without_a_call():
    with pytest.raises(ModelSetupError, match="needs ANTHROPIC_API_KEY in the environment"):
        open_chat_model("anthropic/claude-sonnet-4-5").check()


@pytest.mark.parametrize("model", ["gpt", "opnai/gpt-4.1", ""])
def test_an_unknown_provider_is_said_with_examples(model: str):
    with pytest.raises(ModelSetupError, match="Write it as PROVIDER/MODEL"):
        open_chat_model(model).check()


def test_an_unknown_model_is_said(stub: OpenAIStub):
    stub.script.append(Reply(status=404, message="The model does not exist"))

    with pytest.raises(ModelSetupError, match="does not exist there"):
        opened(stub).check()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"message": "The server had an error", "type": "server_error"}, "broke off its answer"),
        ("boom", "broke off its answer"),
        ({"message": "maximum context length exceeded", "code": 400}, "longer than"),
        ({"message": "Overloaded", "type": "overloaded_error"}, "is overloaded"),
        ({"message": "Rate limit reached", "code": 429}, "is rate limited"),
    ],
)
def test_what_breaks_an_answer_off_is_said_in_its_words(stub: OpenAIStub, told: object, said: str):
    stub.script.append(Reply(breaks_with=told))

    with pytest.raises(ModelError, match=said):
        opened(stub, QUICKLY).complete(PROMPT)


def test_an_unreachable_endpoint_is_said_with_its_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        model = open_chat_model("openai/stub", api_base=address)
        with pytest.raises(ModelUnavailableError, match=f"{address} cannot be reached"):
            model.check()


def test_check_asks_once_and_accepts_a_rate_limit(stub: OpenAIStub):
    stub.script.append(Reply(status=429, headers={"retry-after": "9"}))
    model = opened(stub)

    model.check()
    model.check()

    assert len(stub.requests) == 1


def test_what_a_model_is_like_is_known_in_the_next_session_too(stub: OpenAIStub):
    stub.script += [
        Reply(pieces=("Okay, the user wants",), finish_reason="length"),
        Reply(pieces=("They greet.\n", "</think>\n\nHello!")),
        Reply(pieces=("Okay, the user wants",), finish_reason="length"),
        Reply(pieces=("Again.", "</think>\n\nHello again!")),
    ]
    for expected in ("Hello!", "Hello again!"):
        model = opened(stub)
        model.check()
        said = [piece for piece in model.stream(PROMPT) if isinstance(piece, str)]
        assert "".join(said).strip() == expected


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_may_pass_is_tried_again(stub: OpenAIStub, status: int):
    stub.script.append(Reply(status=status))

    completion = opened(stub, QUICKLY).complete(PROMPT)

    assert completion.text == "Refunds take five days."
    (failed,) = completion.failed_attempts
    assert failed.model == "openai/stub"
    assert str(status) in failed.error


def test_a_refused_request_is_not_tried_again(stub: OpenAIStub):
    stub.script.append(Reply(status=400, message="temperature must be below 2"))

    with pytest.raises(ModelError, match="temperature must be below 2") as raised:
        opened(stub, QUICKLY).complete(PROMPT)
    assert not raised.value.retryable
    assert len(stub.requests) == 1


def test_retry_after_is_read(stub: OpenAIStub):
    stub.script.append(Reply(status=429, headers={"retry-after": "7"}))

    with pytest.raises(ModelUnavailableError) as raised:
        opened(stub).complete(PROMPT)
    assert raised.value.retry_after_s == 7


def test_a_late_first_token_ends_the_call(stub: OpenAIStub):
    stub.script.append(Reply(first_token_delay_s=5))

    with pytest.raises(ModelUnavailableError, match=r"did not begin to answer within 0\.2 s"):
        opened(stub).complete(PROMPT, CompletionOptions(first_token_timeout_s=0.2))


@pytest.mark.slow
def test_a_slow_answer_ends_at_the_total_deadline(stub: OpenAIStub):
    # Long enough that the first piece is in time on a busy machine.
    stub.script.append(Reply(pieces=("a ",) * 1_000, piece_delay_s=0.05))
    stream = opened(stub).stream(PROMPT, CompletionOptions(total_timeout_s=2.5))

    got, error = read_until_error(stream)

    assert got
    assert "did not finish within 2.5 s" in str(error)
    assert stub.disconnected.wait(60)


def test_a_stream_cut_in_the_middle_is_an_error_after_what_came(stub: OpenAIStub):
    stub.script.append(Reply(cut_after=2))

    got, error = read_until_error(opened(stub, QUICKLY).stream(PROMPT))

    assert got == ["Refunds ", "take "]
    assert isinstance(error, ModelUnavailableError)
    assert len(stub.requests) == 1, "what was heard cannot be taken back"


def test_closing_a_stream_closes_the_connection(stub: OpenAIStub):
    stub.script.append(Reply(pieces=("word ",) * 500, piece_delay_s=0.01))
    stream = opened(stub).stream(PROMPT)

    assert next(iter(stream)) == "word "
    stream.close()

    assert stub.disconnected.wait(60)


async def test_cancelling_the_caller_closes_the_connection(stub: OpenAIStub):
    stub.script.append(Reply(pieces=("word ",) * 500, piece_delay_s=0.01))
    began = asyncio.Event()

    async def read() -> None:
        async for _ in opened(stub).astream(PROMPT):
            began.set()

    task = asyncio.create_task(read())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(stub.disconnected.wait, 60)


async def test_many_sessions_share_a_model(stub: OpenAIStub):
    model = opened(stub)

    answers = await asyncio.gather(*(model.acomplete(PROMPT) for _ in range(20)))

    assert {answer.text for answer in answers} == {"Refunds take five days."}


def test_nothing_that_was_said_reaches_a_log(
    stub: OpenAIStub, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level("DEBUG")
    stub.script.append(Reply(status=500))

    opened(stub, QUICKLY).complete([ChatMessage("user", "my code is 4711")])

    out, err = capfd.readouterr()
    assert "4711" not in caplog.text + out + err


def test_only_the_configured_endpoint_is_called(
    stub: OpenAIStub, closed_network: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")
    model = open_chat_model("openai/gpt-4.1-mini", api_base=stub.base_url)

    model.check()
    model.complete(PROMPT)

    assert set(closed_network) == {"127.0.0.1"}


def test_warming_makes_one_call_of_the_client_and_asks_nobody(
    closed_network: list[str], monkeypatch: pytest.MonkeyPatch
):
    litellm, calls = load_litellm(), []
    original = litellm.acompletion

    async def counted(*args: object, **named: object) -> object:
        calls.append(args)
        return await original(*args, **named)

    monkeypatch.setattr(litellm, "acompletion", counted)
    warm_litellm.cache_clear()

    warm_litellm()
    warm_litellm()

    assert (len(calls), closed_network) == (1, [])


def test_a_price_is_known_for_known_models_only():
    load_litellm()

    known = open_chat_model("openai/gpt-4.1-mini", fallbacks=["embedded/extractive"])
    price = price_usd(known, read=1_000_000, written=0)
    assert price is not None
    assert 0 < price < 100
    assert price_usd(open_chat_model("openai/no-such-model"), read=1, written=1) is None
    assert price_usd(open_chat_model("embedded/extractive"), read=1, written=1) == 0.0
    assert price_usd(object(), read=1, written=1) is None


@pytest.mark.hostile
@pytest.mark.parametrize(("own", "sent"), [("", "none"), ("sk-own", "sk-own"), (None, "sk-right")])
def test_an_endpoint_gets_the_key_that_it_names(
    stub: OpenAIStub, own: str | None, sent: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")
    model = open_chat_model("openai/stub", api_base=stub.base_url, api_key=own)

    model.complete(PROMPT)

    assert stub.keys == [f"Bearer {sent}"]
