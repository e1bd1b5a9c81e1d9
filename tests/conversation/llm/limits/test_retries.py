"""Retries, rate limits and fallbacks, with waiting and chance decided by the test."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from conversation.errors import (
    FailedAttempt,
    ModelOutputError,
    ModelSetupError,
    ModelUnavailableError,
)
from conversation.llm.calls import calls_of, failed_calls
from conversation.llm.chat_model import DEFAULT_OPTIONS, ChatMessage, Completion, CompletionOptions
from conversation.llm.generator import TextGenerator, TwinChatModel
from conversation.llm.limits.fallback import CONTINUE, FallbackGenerator
from conversation.llm.limits.retries import ReliableGenerator, RetryPolicy
from conversation.llm.limits.traffic import RateLimit, Traffic
from conversation.transcript import Usage

DEFAULT_POLICY = RetryPolicy()
ASK = [ChatMessage("user", "How long do refunds take?")]


class ScriptedGenerator:
    """Each call plays one list of pieces; an exception among them is raised there."""

    def __init__(self, *calls: Sequence[str | Exception], model: str = "a/model") -> None:
        self.calls = list(calls)
        self.model = model
        self.prompts: list[list[ChatMessage]] = []
        self.check_error: Exception | None = None

    async def check(self) -> None:
        if self.check_error is not None:
            raise self.check_error

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        self.prompts.append(list(messages))
        text = ""
        for piece in self.calls.pop(0):
            if isinstance(piece, Exception):
                raise piece
            text += piece
            yield piece
        yield Completion(text=text, usage=Usage(model=self.model), finish_reason="stop")


class Waiting:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


def limited(retry_after_s: float | None) -> ModelUnavailableError:
    error = ModelUnavailableError("rate limited")
    error.retry_after_s = retry_after_s
    return error


def reliable(
    generator: TextGenerator, waiting: Waiting, policy: RetryPolicy = DEFAULT_POLICY
) -> TwinChatModel:
    return TwinChatModel(
        ReliableGenerator(
            generator,
            policy,
            sleep=waiting.sleep,
            chance=lambda: 0.5,
            clock=lambda: waiting.now_s,
        )
    )


def test_delays_double_and_are_drawn_from_their_upper_half():
    waiting = Waiting()
    down = ModelUnavailableError("down")
    generator = ScriptedGenerator([down], [down], [down], ["fine"])

    completion = reliable(generator, waiting, RetryPolicy(max_attempts=4)).complete(ASK)

    assert completion.text == "fine"
    assert waiting.slept_s == [0.375, 0.75, 1.5]  # 0.5, 1 and 2, times 0.5 + 0.5 * 0.5
    failed = FailedAttempt("a/model", "down", "ModelUnavailableError", request_to_failure_ms=0.0)
    assert completion.failed_attempts == (failed,) * 3


def test_attempts_are_limited():
    generator = ScriptedGenerator(*[[ModelUnavailableError("down")]] * 5)

    with pytest.raises(ModelUnavailableError, match="down"):
        reliable(generator, Waiting()).complete(ASK)
    assert len(generator.prompts) == 3


@pytest.mark.parametrize("error", [ModelSetupError("bad key"), ModelOutputError("no JSON")])
def test_what_stays_wrong_is_not_tried_again(error: Exception):
    generator = ScriptedGenerator([error], ["never"])

    with pytest.raises(type(error)):
        reliable(generator, Waiting()).complete(ASK)
    assert len(generator.prompts) == 1


def test_a_pause_that_the_provider_asks_for_is_kept():
    waiting = Waiting()

    reliable(ScriptedGenerator([limited(7)], ["fine"]), waiting).complete(ASK)

    assert waiting.slept_s == [7]


def test_a_pause_holds_for_other_sessions_too():
    waiting = Waiting()
    model = reliable(
        ScriptedGenerator([limited(7)], ["second session"]), waiting, RetryPolicy(max_attempts=1)
    )
    with pytest.raises(ModelUnavailableError):
        model.complete(ASK)

    model.complete(ASK)

    assert waiting.slept_s == [7]


def test_a_long_pause_fails_at_once_without_a_call():
    waiting = Waiting()
    generator = ScriptedGenerator([limited(3_600)], ["never"])
    model = reliable(generator, waiting)
    with pytest.raises(ModelUnavailableError):
        model.complete(ASK)

    with pytest.raises(ModelUnavailableError, match="no room for a call for 3600 s more"):
        model.complete(ASK)

    assert waiting.slept_s == []
    assert len(generator.prompts) == 1


def test_no_retry_begins_after_the_total_deadline():
    generator = ScriptedGenerator([limited(5)], ["too late"])

    with pytest.raises(ModelUnavailableError, match="rate limited"):
        reliable(generator, Waiting()).complete(ASK, CompletionOptions(total_timeout_s=4))


def test_what_was_heard_is_not_said_twice():
    generator = ScriptedGenerator(["Refunds ", ModelUnavailableError("cut")], ["never"])
    stream = reliable(generator, Waiting()).stream(ASK)

    assert next(stream) == "Refunds "
    with pytest.raises(ModelUnavailableError, match="cut"):
        next(stream)


def test_the_next_model_answers_when_the_first_cannot():
    first = ScriptedGenerator([ModelUnavailableError("down")], model="a/first")
    second = ScriptedGenerator(["Five ", "days."], model="b/second")

    completion = TwinChatModel(FallbackGenerator([first, second])).complete(ASK)

    assert completion.text == "Five days."
    assert completion.usage.model == "b/second"
    assert completion.failed_attempts == (
        FailedAttempt("a/first", "down", "ModelUnavailableError"),
    )
    assert second.prompts == [ASK]


def test_the_next_model_continues_an_answer_that_was_cut():
    first = ScriptedGenerator(["Refunds take ", ModelUnavailableError("cut")], model="a/first")
    second = ScriptedGenerator(["five days."], model="b/second")

    *deltas, completion = TwinChatModel(FallbackGenerator([first, second])).stream(ASK)

    assert deltas == ["Refunds take ", "five days."]
    assert isinstance(completion, Completion)
    assert completion.text == "Refunds take five days."
    assert second.prompts[0][1:] == [
        ChatMessage("assistant", "Refunds take "),
        ChatMessage("user", CONTINUE),
    ]


def test_the_last_error_is_raised_when_all_fail():
    models = [
        ScriptedGenerator([ModelUnavailableError(f"{name} is down")], model=name)
        for name in ("a", "b")
    ]

    with pytest.raises(ModelUnavailableError, match="b is down"):
        TwinChatModel(FallbackGenerator(models)).complete(ASK)


def test_a_wrong_setup_of_a_fallback_is_said_before_any_work():
    first, second = ScriptedGenerator(), ScriptedGenerator()
    second.check_error = ModelSetupError("no key")

    with pytest.raises(ModelSetupError, match="no key"):
        TwinChatModel(FallbackGenerator([first, second])).check()


def test_one_reachable_model_is_enough_to_begin():
    first, second = ScriptedGenerator(), ScriptedGenerator()
    first.check_error = ModelUnavailableError("down")
    model = TwinChatModel(FallbackGenerator([first, second]))

    model.check()
    second.check_error = ModelUnavailableError("down too")
    with pytest.raises(ModelUnavailableError, match="down"):
        model.check()


def test_a_fallback_list_needs_a_model():
    with pytest.raises(ValueError, match="at least one model"):
        FallbackGenerator([])


async def test_the_protocol_is_kept_by_the_twin():
    model = TwinChatModel(ScriptedGenerator(["a ", "b"], ["a ", "b"], ["a ", "b"]))

    pieces = [piece async for piece in model.astream(ASK, DEFAULT_OPTIONS)]

    assert pieces[:2] == ["a ", "b"]
    assert (await model.acomplete(ASK)).text == model.complete(ASK).text == "a b"


def test_what_failed_is_counted_with_its_times_and_words():
    waiting = Waiting()

    class Slow(ScriptedGenerator):
        async def generate(
            self, messages: Sequence[ChatMessage], options: CompletionOptions
        ) -> AsyncGenerator[str | Completion, None]:
            async for piece in super().generate(messages, options):
                waiting.now_s += 2
                yield piece

        def price_usd(self, *, read: int, written: int) -> float | None:
            return read * 0.5 + written

    first = ReliableGenerator(
        Slow(["Refunds take ", ModelUnavailableError("cut")], model="a/first"),
        clock=lambda: waiting.now_s,
    )
    second = ScriptedGenerator(["five days."], model="b/second")

    completion = TwinChatModel(FallbackGenerator([first, second])).complete(ASK)

    lost, answered = calls_of(completion)
    assert lost.usage == Usage(
        model="a/first", input_tokens=7, output_tokens=4, cost_usd=7.5, source="estimated"
    )
    assert lost.error == "ModelUnavailableError"
    assert (lost.request_to_first_token_ms, lost.request_to_last_token_ms) == (2_000, 2_000)
    assert (answered.usage.model, answered.error) == ("b/second", None)


def test_an_error_lists_every_call_that_failed():
    waiting = Waiting()
    down = ModelUnavailableError("down")
    models = [
        ReliableGenerator(
            ScriptedGenerator([down], [down], [down], model=name),
            RetryPolicy(max_attempts=2),
            sleep=waiting.sleep,
            clock=lambda: waiting.now_s,
        )
        for name in ("a", "b")
    ]

    with pytest.raises(ModelUnavailableError) as raised:
        TwinChatModel(FallbackGenerator(models)).complete(ASK)

    assert [attempt.model for attempt in raised.value.failed_attempts] == ["a", "a", "b", "b"]
    calls = failed_calls(raised.value.failed_attempts, purpose="tools")
    assert {(call.purpose, call.usage.cost_usd) for call in calls} == {("tools", 0.0)}


def test_all_models_together_have_the_time_of_one_answer():
    waiting = Waiting()
    timeouts: list[float | None] = []

    class TakesTime(ScriptedGenerator):
        async def generate(
            self, messages: Sequence[ChatMessage], options: CompletionOptions
        ) -> AsyncGenerator[str | Completion, None]:
            timeouts.append(options.total_timeout_s)
            waiting.now_s += 6
            async for piece in super().generate(messages, options):
                yield piece

    models = [TakesTime([ModelUnavailableError(f"{name} is down")]) for name in ("a", "b", "c")]
    chain = FallbackGenerator(models, clock=lambda: waiting.now_s)

    with pytest.raises(ModelUnavailableError, match="b is down"):
        TwinChatModel(chain).complete(ASK, CompletionOptions(total_timeout_s=10))
    assert timeouts == [10 / 3, 2]


def test_calls_wait_for_the_minutes_share_and_settle_what_they_took():
    waiting = Waiting()
    traffic = Traffic(RateLimit(tokens_per_minute=300))
    generator = ReliableGenerator(
        ScriptedGenerator(*[["fine"]] * 4),
        RetryPolicy(max_retry_after_s=60),
        sleep=waiting.sleep,
        clock=lambda: waiting.now_s,
        traffic=traffic,
    )
    model = TwinChatModel(generator)
    for _ in range(3):  # expected 107 tokens each, really none
        model.complete(ASK, CompletionOptions(max_output_tokens=100))
    assert waiting.slept_s == []

    traffic.book(250, now_s=waiting.now_s)
    model.complete(ASK, CompletionOptions(max_output_tokens=100))
    assert waiting.slept_s == [60]


def test_a_fallback_answers_when_the_share_is_used_up():
    waiting = Waiting()
    busy = Traffic(RateLimit(requests_per_minute=1))
    busy.book(0, now_s=waiting.now_s)
    first = ScriptedGenerator(model="a/first")
    limited_first = ReliableGenerator(first, clock=lambda: waiting.now_s, traffic=busy)
    second = ScriptedGenerator(["fine"], model="b/second")

    completion = TwinChatModel(FallbackGenerator([limited_first, second])).complete(ASK)

    assert (completion.text, first.prompts) == ("fine", [])
    assert "no room" in completion.failed_attempts[0].error
