"""The user speaks while the agent does, at every moment of an answer."""

from itertools import pairwise

import numpy as np
import pytest

from conversation.transcript import TurnFile
from conversation.voice.call_events import (
    AgentAudio,
    AgentTextCorrected,
    Interrupted,
    UserTurn,
)
from conversation.voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples, Transcription
from tests.conversation.voice.calling.played import agent, check, play, says
from tests.conversation.voice.fakes import (
    CHARS_PER_S,
    HUM,
    FakeModels,
    FakeShortAnswers,
    FakeTranscriber,
    spoken,
)

QUESTION = says(0.5, "When are you open")
ANSWER = "We are open from nine to five, and on Sunday we are closed. Do come and see us."
FIRST_AUDIO_S = 2.72
ANSWER_S = (len(ANSWER) - 2) / CHARS_PER_S
"""Of three clauses, and no white space between them."""
HEARD_BEFORE_SILENT_S = 6.26
"""Who speaks later than this lets the quarter of a second that was sent play to its end."""
INTERRUPTION = "wait what about Saturday"


def moments(start_s: float, end_s: float, step_s: float) -> list[float]:
    return [round(start_s + step_s * n, 3) for n in range(round((end_s - start_s) / step_s))]


def test_the_answer_sounds_where_these_tests_think_it_does():
    played = play([QUESTION], ANSWER, lasts_s=7.5)

    check(played)
    assert played.at_s(AgentAudio) == pytest.approx(FIRST_AUDIO_S, abs=0.05)
    assert len(played.audio_of(2)) == pytest.approx(ANSWER_S * SAMPLE_RATE_HZ, abs=2)


@pytest.mark.parametrize("at_s", moments(2.9, 6.5, 0.05))
def test_an_interruption_takes_the_turn(at_s: float):
    played = play([QUESTION, says(at_s, INTERRUPTION)], ANSWER, "Closed.", lasts_s=at_s + 3.5)

    check(played)
    _, first, second, last = played.transcript.turns
    assert (second.text, last.text) == (INTERRUPTION, "Closed.")
    assert ANSWER.startswith(first.text)
    assert (first.interrupted, first.generated_text) == (
        (True, ANSWER) if at_s < HEARD_BEFORE_SILENT_S else (False, None)
    )
    expected = int((at_s + 0.16 + 0.35 - FIRST_AUDIO_S) * CHARS_PER_S)
    assert len(first.text) == pytest.approx(min(expected, len(ANSWER)), abs=10)
    last_audio_s = max(t for t, e in played.events if isinstance(e, AgentAudio) and e.event_id == 2)
    assert last_audio_s <= at_s + 0.032 + 0.064 + 0.02, "silent 100 ms after the voice began"
    if at_s < HEARD_BEFORE_SILENT_S:
        assert played.of(AgentTextCorrected)[0].corrected == first.text
        assert played.at_s(Interrupted) <= at_s + 1.0


@pytest.mark.parametrize("at_s", moments(2.9, 5.5, 0.1))
def test_a_backchannel_does_not(at_s: float):
    text = "okay" if round(at_s * 10) % 2 else "Uh-huh. yeah"
    played = play([QUESTION, says(at_s, text)], ANSWER, lasts_s=10.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert played.of(Interrupted) == []
    assert len(played.audio_of(2)) == pytest.approx(ANSWER_S * SAMPLE_RATE_HZ, abs=2)
    agent_turn = played.transcript.turns[-1]
    assert agent_turn.sound is not None
    held_s = agent_turn.sound.end_s - agent_turn.sound.start_s - ANSWER_S
    assert 0.0 < held_s < 1.6


@pytest.mark.parametrize("at_s", [3.0, 3.6, 4.2])
def test_half_a_backchannel_that_reads_like_words_does_not_interrupt(at_s: float):
    """Of "all right" a tentative transcript makes "all rate"."""
    heard = {"all right": "All right."}
    models = FakeModels(transcriber=FakeTranscriber(understands=lambda text: text))

    async def transcribe(samples: Samples, *, is_tentative: bool = False, **more: object):
        found = await FakeTranscriber.transcribe(
            models.transcriber, samples, is_tentative=is_tentative
        )
        is_half = is_tentative and found.text == "all right"
        return Transcription("All rate" if is_half else heard.get(found.text, found.text))

    models.transcriber.transcribe = transcribe  # type: ignore[method-assign]
    played = play([QUESTION, says(at_s, "all right")], ANSWER, models=models, lasts_s=8.5)

    check(played)
    assert "All rate" not in played.said
    assert played.of(Interrupted) == []
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize("at_s", [3.0, 3.6, 4.2])
@pytest.mark.parametrize("words", ["Emily", "it is", "come look here"])
def test_a_hum_that_reads_like_words_does_not_interrupt(at_s: float, words: str):
    short = FakeShortAnswers(may=True)
    models = FakeModels(
        transcriber=FakeTranscriber(
            understands=lambda text: words if text.startswith("mhm") else text
        ),
        short_answers=short,
    )
    played = play([QUESTION, says(at_s, "mhm mhm")], ANSWER, models=models, lasts_s=9.0)

    check(played)
    assert played.of(Interrupted) == []
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert len(played.audio_of(2)) == pytest.approx(ANSWER_S * SAMPLE_RATE_HZ, abs=2)
    assert len(short.asked_s) == 1


@pytest.mark.parametrize(
    "short",
    [FakeShortAnswers(may=False), FakeShortAnswers(fails=True), FakeShortAnswers(takes_s=9)],
)
@pytest.mark.parametrize("words", ["stop", "no wait"])
def test_a_short_word_interrupts_unless_it_may_be_a_hum(short: FakeShortAnswers, words: str):
    models = FakeModels(short_answers=short)
    played = play([QUESTION, says(3.5, words)], ANSWER, "Yes?", models=models, lasts_s=9.0)

    check(played)
    assert played.said[2:] == [("user", words), ("agent", "Yes?")]
    assert played.at_s(Interrupted) <= 5.6


def test_a_long_interruption_is_never_taken_for_a_hum():
    short = FakeShortAnswers(may=True)
    models = FakeModels(short_answers=short)
    played = play([QUESTION, says(3.5, INTERRUPTION)], ANSWER, "Closed.", models=models, lasts_s=9)

    check(played)
    assert played.said[2:] == [("user", INTERRUPTION), ("agent", "Closed.")]
    assert short.asked_s == []


def test_an_agent_without_usual_terms_yields_to_a_hum():
    short = FakeShortAnswers(may=True)
    config = agent(voice={"turn": {"merge_with_default_ignore_terms": False}})
    played = play(
        [QUESTION, says(3.5, "mhm")],
        ANSWER,
        "Yes?",
        models=FakeModels(short_answers=short),
        config=config,
        lasts_s=9.0,
    )

    assert played.said[2:] == [("user", "mhm"), ("agent", "Yes?")]
    assert short.asked_s == []


@pytest.mark.parametrize("at_s", moments(5.9, 7.0, 0.1))
def test_what_is_said_at_the_very_end_answers_it(at_s: float):
    question = "Yes we are. Shall I book a table for you today or tomorrow, at seven?"
    played = play([QUESTION, says(at_s, "okay")], question, "Booked.", lasts_s=11.0)

    check(played)
    assert played.said[-2:] == [("user", "okay"), ("agent", "Booked.")]
    assert played.said[1] == ("agent", question)


@pytest.mark.parametrize("at_s", [3.0, 4.0, 5.0])
def test_a_long_okay_interrupts_all_the_same(at_s: float):
    config = agent(voice={"stt": {"tentative": False}})
    played = play([QUESTION, says(at_s, "okay " * 6)], ANSWER, "Yes?", lasts_s=9.0, config=config)

    assert played.at_s(Interrupted) == pytest.approx(at_s + 0.93, abs=0.08)


@pytest.mark.parametrize("seconds", [0.03, 0.06, 0.09])
@pytest.mark.parametrize("at_s", [3.0, 4.0])
def test_a_cough_is_passed_over(at_s: float, seconds: float):
    cough = spoken("x")[: int(seconds * SAMPLE_RATE_HZ)]
    played = play([QUESTION, (at_s, cough)], ANSWER, lasts_s=9.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    turn = played.transcript.turns[-1]
    assert turn.sound is not None
    assert turn.sound.end_s - turn.sound.start_s == pytest.approx(ANSWER_S, abs=0.05)


@pytest.mark.parametrize("at_s", moments(3.0, 6.0, 0.5))
def test_an_agent_that_does_not_yield_is_answered_when_it_is_done(at_s: float):
    config = agent(voice={"turn": {"interruptions": False}})
    played = play(
        [QUESTION, says(at_s, INTERRUPTION)], ANSWER, "Closed.", config=config, lasts_s=10.0
    )

    check(played)
    assert played.said == [
        ("user", "When are you open"),
        ("agent", ANSWER),
        ("user", INTERRUPTION),
        ("agent", "Closed."),
    ]
    assert played.of(Interrupted) == []


@pytest.mark.parametrize("at_s", moments(3.0, 5.0, 0.5))
def test_its_backchannels_are_passed_over(at_s: float):
    config = agent(voice={"turn": {"interruptions": False}})
    played = play([QUESTION, says(at_s, "okay")], ANSWER, config=config, lasts_s=9.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


FIRST = "Hello and welcome to the library, how can I help you today?"


@pytest.mark.parametrize("at_s", moments(0.2, 2.9, 0.2))
def test_the_first_message_is_interrupted(at_s: float):
    config = agent(first_message=FIRST)
    played = play([says(at_s, INTERRUPTION)], "Closed.", config=config, lasts_s=at_s + 3.5)

    check(played)
    assert [turn.text for turn in played.transcript.turns][1:] == [INTERRUPTION, "Closed."]
    assert FIRST.startswith(played.transcript.turns[0].text)


@pytest.mark.parametrize("loudness", [HUM, 1_000])
@pytest.mark.parametrize("frames", [1, 2, 4, 30])
@pytest.mark.parametrize("at_s", [3.04, 3.3, 4.41])
def test_a_click_or_a_hum_is_never_heard_as_a_hole(at_s: float, frames: int, loudness: int):
    frames = frames if loudness == HUM else min(frames, 2)
    noise = np.full(frames * FRAME_SAMPLES, loudness, np.int16)
    played = play([QUESTION, (at_s, noise)], ANSWER, lasts_s=8.0)

    check(played)
    plays = [(at_s, len(samples) / SAMPLE_RATE_HZ) for at_s, samples in played.recorder.agent]
    assert all(b[0] - a[0] == pytest.approx(a[1], abs=1e-6) for a, b in pairwise(plays))
    sent = [t for t, e in played.events if isinstance(e, AgentAudio) and t > at_s + 0.15]
    assert min(sent) < at_s + 0.3, "nothing is sent while it may be a voice, and then it goes on"


@pytest.mark.parametrize("frames", [3, 5, 7])
def test_clicks_that_become_a_hum_again_and_again_are_never_heard_as_holes(frames: int):
    click = np.full(frames * FRAME_SAMPLES, HUM // 2, np.int16)
    hum = np.full(frames * FRAME_SAMPLES, HUM, np.int16)
    quiet = np.zeros(FRAME_SAMPLES, np.int16)
    noise = np.concatenate([click, hum, quiet] * 5)
    played = play([QUESTION, (3.0, noise)], ANSWER, lasts_s=8.0)

    check(played)
    plays = [(at_s, len(samples) / SAMPLE_RATE_HZ) for at_s, samples in played.recorder.agent]
    assert all(b[0] - a[0] == pytest.approx(a[1], abs=1e-6) for a, b in pairwise(plays))
    sent = [t for t, e in played.events if isinstance(e, AgentAudio) and t > 3.0]
    assert max(b - a for a, b in pairwise(sent)) > 0.1, "it was silent at once all the same"


@pytest.mark.parametrize("at_s", moments(0.2, 2.9, 0.5))
def test_a_first_message_that_must_be_heard_is(at_s: float):
    config = agent(first_message=FIRST, voice={"turn": {"first_message_interruptible": False}})
    played = play([says(at_s, INTERRUPTION)], "Closed.", config=config, lasts_s=6.5)

    check(played)
    assert [turn.text for turn in played.transcript.turns] == [FIRST, INTERRUPTION, "Closed."]


@pytest.mark.parametrize("at_s", [0.3, 1.0, 1.8])
def test_an_announcement_cannot_be_interrupted_and_what_follows_can(at_s: float):
    told = "This call is recorded for training."
    config = agent(first_message=FIRST, voice={"recording": {"announce": told}})
    played = play([says(at_s, INTERRUPTION)], "Closed.", config=config, lasts_s=9.0)

    check(played)
    assert played.models.synthesizer.clauses[0] == told
    assert "recording_announced" in played.kinds
    assert [turn.text for turn in played.transcript.turns][-2:] == [INTERRUPTION, "Closed."]
    audio_s = len(played.audio_of(1)) / SAMPLE_RATE_HZ
    assert audio_s >= len(told) / CHARS_PER_S - 0.01


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "We record you, Ada."), ("es", "Grabamos, Ada."), ("de", "We record you, Ada.")],
)
def test_an_announcement_is_made_in_the_language_of_the_call(language: str, told: str):
    announced = {"en": "We record you, {{who}}.", "es-MX": "Grabamos, {{who}}."}
    config = agent(language=language, voice={"recording": {"announce": announced}})
    played = play([], config=config, lasts_s=4.0, variables={"who": "Ada"})

    assert played.models.synthesizer.clauses == [told]


@pytest.mark.parametrize("at_s", moments(1.0, 7.0, 0.75))
def test_typed_text_takes_the_turn_at_once(at_s: float):
    came = TurnFile(file_id="file_1", name="a.txt", mime_type="text/plain")
    played = play(
        [QUESTION, (at_s, lambda call: call.say("What about Saturday?", files=[came]))],
        ANSWER,
        "Closed.",
        lasts_s=at_s + 4.5,
    )

    check(played)
    assert ("user", "What about Saturday?") in played.said
    kept = {turn.text: turn.files for turn in played.transcript.turns if turn.files}
    assert kept == {"What about Saturday?": (came,)}
    assert "What about Saturday?" not in [event.text for event in played.of(UserTurn)]


@pytest.mark.parametrize("at_s", moments(2.0, 7.0, 0.5))
def test_the_agent_is_stopped_without_a_word(at_s: float):
    played = play([QUESTION, (at_s, lambda call: call.interrupt())], ANSWER, lasts_s=8.0)

    check(played)
    assert [turn.role for turn in played.transcript.turns] == ["user", "agent"]
    later = [t for t, e in played.events if isinstance(e, AgentAudio) and t > at_s + 0.07]
    if at_s > 2.2:
        assert later == []
