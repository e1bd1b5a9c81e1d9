"""Models that are slow, fail or hang at every step, and clients that leave: nobody waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from conversation.errors import ModelUnavailableError, SpeechError, StoreError, UnsayableError
from conversation.store.store import ConversationStore
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import AgentAudio, AgentText, Interrupted, SpeechFailed
from conversation.voice.ports import SpeechChunk
from tests.conversation.voice.calling.played import Played, SlowChatModel, agent, check, play, says
from tests.conversation.voice.calling.test_yielding import moments
from tests.conversation.voice.fakes import FakeModels, FakeSynthesizer, FakeTranscriber

QUESTION = says(0.5, "When are you open")
ANSWER = "We are open from nine to five, and on Sunday we are closed. Do come and see us."
BROKEN = SpeechError("The model is broken.")
ODD = RuntimeError("nobody expected this")


def fails_on(*numbers: int, error: BaseException = BROKEN) -> Callable[[int], BaseException | None]:
    return lambda number: error if number in numbers else None


def heard_from(**settings: Any) -> FakeModels:
    return FakeModels(transcriber=FakeTranscriber(**settings))


def spoken_by(**settings: Any) -> FakeModels:
    return FakeModels(synthesizer=FakeSynthesizer(**settings))


class Unreadable(FakeSynthesizer):
    """Reads Latin letters; of anything else it makes no sound, or says so."""

    raises = False

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        if clause.isascii() and any(map(str.isalpha, clause)):
            async for chunk in super().speak(clause, language=language, is_first=is_first):
                yield chunk
        elif self.raises:
            raise UnsayableError("It reads Latin letters.")


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize(
    "text", ["\u4f60\u597d", "...", "\U0001f389", "\u0645\u0631\u062d\u0628\u0627."]
)
def test_an_answer_in_which_there_is_nothing_to_say_is_no_dead_air(text: str, raises: bool):
    mouth = Unreadable()
    mouth.raises = raises
    played = play([QUESTION], text, models=FakeModels(synthesizer=mouth), lasts_s=10.0)

    assert "".join(mouth.clauses).startswith("Sorry, something went wrong")
    assert len(played.of(AgentAudio)) > 10
    assert played.said == [("user", "When are you open"), ("agent", text)]
    assert played.reason == "user_ended"


# Clients


@pytest.mark.parametrize("at_s", moments(0.1, 7.0, 0.5))
def test_a_client_that_leaves_ends_the_call_at_once(at_s: float):
    played = play([QUESTION, (at_s, lambda call: call.end("connection_lost"))], ANSWER, lasts_s=8.0)

    check(played)
    assert played.reason == played.transcript.end_reason == "connection_lost"
    assert played.events[-1][0] <= at_s + 0.1
    agent_turns = [turn for turn in played.transcript.turns if turn.role == "agent"]
    for turn in agent_turns:
        audible_s = len(played.of(AgentAudio)) * 0.08
        assert len(turn.text) <= audible_s * 20 + 1, "no more than was sent counts as said"


@pytest.mark.parametrize("takes_s", [0.02, 0.05, 0.1, 0.3])
def test_a_reader_that_takes_its_time_gets_everything(takes_s: float):
    played = play([QUESTION], ANSWER, reads_s=takes_s, lasts_s=15.0 if takes_s < 0.3 else 40.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


# Hearing


@pytest.mark.parametrize("takes_s", [0.5, 1.0, 2.5, 6.0])
def test_a_slow_transcript_is_late_and_whole(takes_s: float):
    played = play([QUESTION], ANSWER, models=heard_from(takes_s=takes_s), lasts_s=takes_s + 8.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize("error", [BROKEN, ODD], ids=["told", "odd"])
def test_what_could_not_be_understood_is_told_and_asked_for(error: BaseException):
    played = play(
        [QUESTION, says(6.0, "When are you open")],
        ANSWER,
        models=heard_from(fails=fails_on(1, error=error)),
        lasts_s=12.0,
    )

    check(played)
    assert [(each.side, each.event_id) for each in played.of(SpeechFailed)] == [("hearing", None)]
    assert "nobody expected" not in played.of(SpeechFailed)[0].message
    assert played.said[0][1].startswith("Sorry, I could not hear you.")
    assert played.said[1:] == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize("at_s", moments(3.0, 6.0, 1.0))
@pytest.mark.parametrize("error", [BROKEN, ODD], ids=["told", "odd"])
def test_a_held_agent_goes_on_when_nobody_knows_what_was_said(at_s: float, error: BaseException):
    played = play(
        [QUESTION, says(at_s, "hm what")],
        ANSWER,
        config=agent(voice={"stt": {"tentative": False}}),
        models=heard_from(fails=fails_on(2, error=error)),
        lasts_s=10.0,
    )

    check(played)
    assert played.said[:2] == [("user", "When are you open"), ("agent", ANSWER)]
    assert len(played.of(SpeechFailed)) == 1


@pytest.mark.parametrize("at_s", moments(3.0, 6.0, 0.5))
def test_a_held_agent_does_not_wait_for_a_transcriber_that_hangs(at_s: float):
    models = FakeModels()

    def hang(call: VoiceCall) -> None:
        models.transcriber.hangs = True

    played = play(
        [QUESTION, (2.5, hang), says(at_s, "hm what")],
        ANSWER,
        config=agent(voice={"stt": {"tentative": False}}),
        models=models,
        lasts_s=10.0,
    )

    check(played)
    assert played.said[:2] == [("user", "When are you open"), ("agent", ANSWER)]
    turn = played.transcript.turns[1]
    assert turn.sound is not None
    assert turn.sound.end_s - turn.sound.start_s < 3.85 + 3.0


@pytest.mark.parametrize("pause_s", [0.4, 0.7])
def test_an_answer_on_its_way_is_let_go_when_more_was_not_understood(pause_s: float):
    played = play(
        [QUESTION, says(1.78 + pause_s, "hm what")],
        ANSWER,
        config=agent(voice={"stt": {"tentative": False}}),
        models=heard_from(fails=fails_on(2)),
        lasts_s=9.0,
    )

    check(played)
    assert ("agent", ANSWER) in played.said


# Speaking


@pytest.mark.parametrize(
    ("takes_s", "aligns"), [(0.0, True), (0.2, False), (0.35, True), (1.0, False), (1.0, True)]
)
def test_a_slow_voice_says_everything(takes_s: float, aligns: bool):
    models = spoken_by(takes_s=takes_s, aligns=aligns)
    played = play([QUESTION], ANSWER, models=models, lasts_s=22.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert len(played.audio_of(2)) / 16_000 == pytest.approx(3.85, abs=0.01)


@pytest.mark.parametrize(("clause", "error"), [(1, BROKEN), (2, ODD), (3, BROKEN)])
def test_a_clause_that_fails_once_is_said_again(clause: int, error: BaseException):
    models = spoken_by(fails=fails_on(clause, error=error))
    played = play([QUESTION], ANSWER, models=models, lasts_s=9.0)

    check(played)
    assert played.of(SpeechFailed) == []
    assert len(played.audio_of(2)) / 16_000 == pytest.approx(3.85, abs=0.01)


@pytest.mark.parametrize(("clause", "error"), [(1, BROKEN), (1, ODD), (2, ODD), (3, BROKEN)])
def test_a_voice_that_breaks_leaves_the_text(clause: int, error: BaseException):
    models = spoken_by(fails=lambda number: error if number >= clause else None)
    played = play([QUESTION, says(7.0, "hello again")], ANSWER, models=models, lasts_s=12.0)

    check(played)
    assert played.of(AgentText)[0].text == ANSWER
    failed = played.of(SpeechFailed)[0]
    assert (failed.side, failed.event_id) == ("speaking", 2)
    assert played.said[:2] == [("user", "When are you open"), ("agent", ANSWER)]
    assert played.said[2][1] == "hello again", "the call goes on"


def test_a_voice_that_hangs_leaves_the_text():
    played = play([QUESTION], ANSWER, models=spoken_by(hangs=True), lasts_s=40.0)

    check(played)
    assert [event.text for event in played.of(AgentText)] == [ANSWER]
    assert len(played.of(SpeechFailed)) == 1


@pytest.mark.parametrize("at_s", moments(2.9, 6.0, 0.6))
def test_heard_text_is_right_to_a_few_words_without_alignment(at_s: float):
    played = play(
        [QUESTION, says(at_s, "wait what about Saturday")],
        ANSWER,
        "Closed.",
        models=spoken_by(aligns=False),
        lasts_s=at_s + 3.0,
    )
    aligned = play(
        [QUESTION, says(at_s, "wait what about Saturday")], ANSWER, "Closed.", lasts_s=at_s + 3.0
    )

    check(played)
    words, exact = (len(each.said[1][1].split()) for each in (played, aligned))
    assert abs(words - exact) <= 1


@pytest.mark.parametrize("rate_hz", [22_050, 24_000])
def test_voices_have_rates_of_their_own(rate_hz: int):
    played = play([QUESTION], ANSWER, models=spoken_by(sample_rate_hz=rate_hz), lasts_s=8.0)

    assert len(played.audio_of(2)) / 16_000 == pytest.approx(3.85, abs=0.01)
    assert played.said[-1] == ("agent", ANSWER)


# Answering


@pytest.mark.parametrize(
    ("first_s", "word_s"), [(0.0, 0.0), (0.0, 0.1), (1.0, 0.1), (1.0, 0.6), (5.0, 0.0)]
)
def test_a_slow_model_is_said_as_it_writes(first_s: float, word_s: float):
    model = SlowChatModel(ANSWER, first_s=first_s, word_s=word_s)
    played = play([QUESTION], model=model, lasts_s=first_s + 18 * word_s + 9.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    if word_s == 0.1:
        begins_s = played.at_s(AgentAudio)
        assert begins_s < 2.15 + first_s + 7 * word_s + 0.3, "the first words do not wait for all"


@pytest.mark.parametrize("error", [ModelUnavailableError("away"), ODD], ids=["told", "odd"])
def test_a_model_that_fails_is_heard_to(error: BaseException):
    played = play([QUESTION, says(9.0, "hello again")], error, "Hello.", lasts_s=13.0)

    check(played)
    assert played.said[1][1].startswith("Sorry, something went wrong")
    assert played.transcript.turns[1].error is not None
    assert played.said[2:] == [("user", "hello again"), ("agent", "Hello.")]


@pytest.mark.parametrize("at_s", moments(2.2, 4.0, 0.2))
def test_an_interruption_while_the_model_writes_stops_it(at_s: float):
    model = SlowChatModel(ANSWER, "Closed.", first_s=0.1, word_s=0.3)
    played = play([QUESTION, says(at_s, "wait what about Saturday")], model=model, lasts_s=at_s + 4)

    check(played)
    assert played.said[-1] == ("agent", "Closed.")
    assert ANSWER not in [text for _, text in played.said]


@pytest.mark.parametrize("after_s", [0.5, 1.0, 2.0])
def test_a_slow_model_asks_for_patience(after_s: float):
    config = agent(
        voice={"turn": {"soft_timeout_s": after_s, "soft_timeout_message": "One moment."}}
    )
    model = SlowChatModel(ANSWER, first_s=3.0)
    played = play([QUESTION], model=model, config=config, lasts_s=12.0)

    check(played)
    assert played.models.synthesizer.clauses[0] == "One moment."
    assert played.at_s(AgentAudio) == pytest.approx(2.13 + after_s + 0.1, abs=0.1)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize(
    ("language", "own", "told"),
    [
        ("es", "", "Déjeme mirar."),
        ("es", "{{who}}, un momento.", "Ada, un momento."),
        ("es", {"en": "One moment.", "es": "Un momento."}, "Un momento."),
        ("fr", {"en": "One moment.", "es": "Un momento."}, "One moment."),
    ],
)
def test_patience_is_asked_for_in_the_language_of_the_call(
    language: str, own: str | dict[str, str], told: str
):
    turn = {"soft_timeout_s": 0.5, "soft_timeout_message": own}
    config = agent(language=language, voice={"turn": turn})
    model = SlowChatModel(ANSWER, first_s=2.0)
    variables = {"who": "Ada"}
    played = play([QUESTION], model=model, config=config, lasts_s=8.0, variables=variables)

    assert played.models.synthesizer.clauses[0] == told


def test_a_quick_model_does_not():
    config = agent(voice={"turn": {"soft_timeout_s": 1.0, "soft_timeout_message": "One moment."}})
    played = play([QUESTION], ANSWER, config=config, lasts_s=8.0)

    assert "One moment." not in played.models.synthesizer.clauses


@pytest.mark.parametrize("at_s", moments(2.8, 5.0, 0.4))
def test_patience_that_was_asked_for_is_no_part_of_what_was_heard(at_s: float):
    config = agent(voice={"turn": {"soft_timeout_s": 0.4, "soft_timeout_message": "One moment."}})
    model = SlowChatModel(ANSWER, "Closed.", first_s=2.0)
    played = play(
        [QUESTION, says(at_s, "wait what about Saturday")],
        model=model,
        config=config,
        lasts_s=at_s + 5.0,
    )

    check(played)
    for _, text in played.said:
        assert "moment" not in text


# Tools, transfers, last words


END = {"action": {"tool": "end_call", "parameters": {}}}
GOODBYE = "Goodbye, and thank you for calling us today."


def last_words(at_s: float | None = None, text: str = "wait one more thing") -> Played:
    config = agent(system_tools=("end_call",))
    script = [says(0.5, "that is all bye")]
    if at_s is not None:
        script.append(says(at_s, text))
    return play(
        script, END, GOODBYE, {"action": {"tool": "none"}}, "Yes?", config=config, lasts_s=10.0
    )


def test_the_goodbye_is_heard_before_the_call_ends():
    played = last_words()

    check(played)
    assert played.reason == "agent_ended"
    assert len(played.audio_of(2)) / 16_000 == pytest.approx(len(GOODBYE) / 20, abs=0.11)
    assert played.events[-1][0] >= played.at_s(AgentAudio) + len(GOODBYE) / 20 - 0.15
    assert played.said[-1] == ("agent", GOODBYE)


@pytest.mark.parametrize("at_s", moments(3.1, 4.6, 0.5))
def test_who_has_one_more_thing_is_heard(at_s: float):
    played = last_words(at_s)

    check(played)
    assert played.said[-1] == ("agent", "Yes?")
    assert played.reason == "user_ended"


@pytest.mark.parametrize("at_s", moments(3.1, 4.6, 0.5))
def test_a_backchannel_does_not_keep_the_call(at_s: float):
    played = last_words(at_s, "okay")

    check(played)
    assert played.reason == "agent_ended"


LOOK_UP = {"action": {"tool": "look_up", "parameters": {}}}


def with_tool(at_s: float | None, takes_s: float, **settings: Any) -> Played:
    from conversation.agent.tool_config import ToolConfig

    tool = ToolConfig(name="look_up", description="Look it up.", timeout_s=20)
    config = agent(tools=(tool,), **settings)

    async def look_up(call: object) -> str:
        await asyncio.sleep(takes_s)
        return "nine to five"

    script = [QUESTION]
    if at_s is not None:
        script.append(says(at_s, "wait what about Saturday"))
    none = {"action": {"tool": "none"}}
    return play(
        script,
        LOOK_UP,
        ANSWER,
        none,
        "Closed.",
        none,
        "Yes.",
        config=config,
        client_tool=look_up,
        lasts_s=14.0,
    )


@pytest.mark.parametrize("takes_s", [0.0, 1.0, 3.0])
def test_a_tool_is_used_before_the_answer(takes_s: float):
    played = with_tool(None, takes_s)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert played.transcript.turns[1].tool_calls[0].result == "nine to five"


@pytest.mark.parametrize("at_s", moments(2.2, 6.0, 0.4))
def test_what_a_tool_did_stays_in_the_record_whoever_speaks_meanwhile(at_s: float):
    played = with_tool(at_s, 1.5)

    check(played)
    calls = [call for turn in played.transcript.turns for call in turn.tool_calls]
    amended = played.said[0][1] == "When are you open wait what about Saturday"
    assert amended or (len(calls) == 1 and played.said[0] == ("user", "When are you open"))
    assert played.said[-1][0] == "agent"


def handed_over(open_models: Callable[[Any], FakeModels], first: FakeModels) -> Played:
    from conversation.agent.tool_config import ToolConfig
    from conversation.turn.speaker import ResolvedAgent

    other = agent().model_copy(update={"agent_id": "b", "name": "B"})
    target = ToolConfig.model_validate(
        {"name": "transfer_to_agent", "agents": [{"agent_id": "b", "when": "Billing."}]}
    )
    model = SlowChatModel(
        {"action": {"tool": "transfer_to_agent", "parameters": {"agent_id": "b"}}},
        "I am B.",
        "Still B.",
    )
    return play(
        [says(0.5, "I have a billing question"), says(5.5, "hello again")],
        config=agent(tools=(target,)),
        model=model,
        models=first,
        open_models=open_models,
        resolve_agent=lambda agent_id: ResolvedAgent(other, chat_model=model),
        lasts_s=10.0,
    )


def test_another_agent_takes_over_with_a_voice_of_its_own():
    first, second = FakeModels(), FakeModels()
    played = handed_over(lambda config: second if config.agent_id == "b" else first, first)

    check(played)
    assert [text for role, text in played.said if role == "agent"] == ["I am B.", "Still B."]
    assert first.synthesizer.clauses == []
    assert second.synthesizer.clauses == ["I am B.", "Still B."]
    assert played.of(Interrupted) == []


def test_another_agent_without_a_voice_here_speaks_with_the_first_one():
    first = FakeModels()

    def open_models(config: Any) -> FakeModels:
        if config.agent_id == "b":
            raise SpeechError("The voice of B is not installed.")
        return first

    played = handed_over(open_models, first)

    check(played)
    assert [event.message for event in played.of(SpeechFailed)] == [
        "The voice of B is not installed."
    ]
    assert first.synthesizer.clauses == ["I am B.", "Still B."]
    assert played.reason == "user_ended"


def test_a_store_that_fails_for_a_moment_is_heard_to(monkeypatch: pytest.MonkeyPatch):
    append, failures = ConversationStore.append_turn, [StoreError("The disk is full.")]

    def append_turn(self: ConversationStore, *args: Any, **more: Any) -> str:
        if failures and args[1].role == "user":
            raise failures.pop()
        return append(self, *args, **more)

    monkeypatch.setattr(ConversationStore, "append_turn", append_turn)
    played = play([QUESTION, says(8.0, "When are you open")], ANSWER, lasts_s=14.0)

    check(played)
    assert played.models.synthesizer.clauses[0].startswith("Sorry, something went")
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
