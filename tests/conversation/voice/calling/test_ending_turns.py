"""When the user's turn is over: pausing, going on, silence, and a microphone that says nothing."""

import pytest

from conversation.voice.call_events import AgentAudio, UserTurn
from tests.conversation.voice.calling.played import agent, check, play, says
from tests.conversation.voice.calling.test_yielding import moments
from tests.conversation.voice.fakes import FakeModels, FakeTranscriber, FakeTurnEnd, spoken

ANSWER = "We are open from nine to five, and on Sunday we are closed."


@pytest.mark.parametrize("pause_s", moments(0.1, 1.6, 0.15))
def test_words_that_ask_to_be_gone_on_with_wait(pause_s: float):
    """A turn that ends in "can" is not over: one turn, and nothing of an answer before."""
    played = play(
        [says(0.5, "how long can"), says(0.5 + 0.96 + pause_s, "I keep it")],
        "Three weeks.",
        models=FakeModels(turn_end=FakeTurnEnd(sure=0.3)),
        lasts_s=6.0,
    )

    check(played)
    assert played.said == [("user", "how long can I keep it"), ("agent", "Three weeks.")]
    assert len(played.of(UserTurn)) == 1


@pytest.mark.parametrize("pause_s", moments(0.1, 0.95, 0.05))
def test_who_goes_on_before_the_answer_is_heard_takes_one_turn(pause_s: float):
    played = play(
        [says(0.5, "When are you open"), says(0.5 + 1.28 + pause_s, "on Sunday")],
        lasts_s=7.0,
    )

    check(played)
    assert [role for role, _ in played.said] == ["user", "agent"]
    assert played.said[0] == ("user", "When are you open on Sunday")
    assert played.of(UserTurn)[-1].text == "When are you open on Sunday"
    assert played.transcript.turns[0].offset_s == pytest.approx(0.5, abs=0.05)
    discarded = played.kinds.count("agent_turn_discarded")
    assert discarded == len(played.of(UserTurn)) - 1
    assert all("When are you open?" not in prompt for prompt in played.prompts[-1:])


@pytest.mark.parametrize("pause_s", [1.1, 1.5])
def test_who_goes_on_after_that_begins_another_turn(pause_s: float):
    played = play(
        [says(0.5, "When are you open"), says(0.5 + 1.28 + pause_s, "no on Sunday please")],
        ANSWER,
        lasts_s=7.0,
    )

    check(played)
    assert [role for role, _ in played.said] == ["user", "agent", "user", "agent"]
    assert played.kinds.count("agent_turn_discarded") == 0


@pytest.mark.parametrize("pause_s", [0.1, 0.3, 0.6, 0.9])
def test_every_word_of_the_user_has_its_place_in_the_call(pause_s: float):
    """Also of a turn that was gone on with: a word that is masked is silenced in the sound."""
    played = play([says(0.5, "When are you"), says(1.46 + pause_s, "open now")], lasts_s=5.0)

    turn = played.transcript.turns[0]
    assert turn.sound is not None
    said = [turn.text[word.start_char : word.end_char] for word in turn.sound.words]
    assert said == turn.text.split() == ["When", "are", "you", "open", "now"]
    starts = [0.5, 0.82, 1.14, 1.46 + pause_s, 1.78 + pause_s]
    assert [word.start_s for word in turn.sound.words] == pytest.approx(starts, abs=0.07)
    assert [word.end_s - word.start_s for word in turn.sound.words] == pytest.approx(
        [0.32] * 5, abs=0.07
    )


@pytest.mark.parametrize("times", [2, 3, 4])
def test_a_turn_in_many_parts_is_one(times: int):
    parts = [says(0.5 + 1.1 * n, f"part {n}") for n in range(times)]
    played = play(parts, lasts_s=9.0)

    check(played)
    assert played.said[0] == ("user", " ".join(f"part {n}" for n in range(times)))
    assert len(played.transcript.turns) == 2


@pytest.mark.parametrize("pause_s", moments(0.4, 1.1, 0.2))
def test_a_cough_while_the_agent_thinks_changes_nothing(pause_s: float):
    models = FakeModels(transcriber=FakeTranscriber(understands=lambda text: text.replace("x", "")))
    played = play(
        [says(0.5, "When are you open"), says(0.5 + 1.28 + pause_s, "x")],
        ANSWER,
        models=models,
        lasts_s=8.0,
    )

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert played.kinds.count("agent_turn_discarded") == 0


@pytest.mark.parametrize("pause_s", moments(0.4, 1.1, 0.2))
def test_okay_while_the_agent_thinks_is_no_other_question(pause_s: float):
    played = play(
        [says(0.5, "When are you open"), says(0.5 + 1.28 + pause_s, "okay")], ANSWER, lasts_s=8.0
    )

    check(played)
    assert played.said[-1] == ("agent", ANSWER)
    assert len(played.transcript.turns) == 2


@pytest.mark.parametrize(
    ("eagerness", "text", "sure", "waits_s"),
    [
        ("normal", "When are you open", 0.9, 0.2),
        ("normal", "When are you open", 0.3, 0.2),
        ("normal", "When can", 1.0, 0.8),
        ("normal", "When can", 0.7, 1.6),
        ("normal", "When can", 0.3, 1.6),
        ("patient", "When are you open", 0.9, 0.3),
        ("patient", "When can", 0.3, 2.4),
        ("eager", "When can", 0.3, 0.96),
        ("eager", "When can", 1.0, 0.48),
        ("normal", "it is four two", 0.9, 1.2),
        ("normal", "my number is 555", 0.9, 1.2),
    ],
)
def test_silence_lasts_as_long_as_it_should(eagerness: str, text: str, sure: float, waits_s: float):
    models = FakeModels(turn_end=FakeTurnEnd(sure=sure), transcriber=FakeTranscriber(takes_s=0.0))
    config = agent(voice={"turn": {"eagerness": eagerness}})
    played = play([says(0.512, text)], config=config, models=models, lasts_s=5.0)

    speech_end_s = 0.512 + 0.32 * len(text.split())
    assert played.at_s(UserTurn) - speech_end_s == pytest.approx(max(waits_s, 0.192), abs=0.11)


@pytest.mark.parametrize(
    "models",
    [
        FakeModels(turn_end=None),
        FakeModels(turn_words=None),
        FakeModels(turn_end=None, turn_words=None),
        FakeModels(turn_end=FakeTurnEnd(fails=True)),
        FakeModels(turn_end=FakeTurnEnd(takes_s=30.0)),
    ],
    ids=["no melody", "no words", "neither", "melody fails", "melody hangs"],
)
def test_without_an_opinion_the_turn_ends_all_the_same(models: FakeModels):
    played = play([says(0.5, "When are you open")], ANSWER, models=models, lasts_s=8.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize("at_s", moments(0.2, 2.2, 0.4))
def test_a_microphone_that_gives_nothing_in_silence(at_s: float):
    played = play([says(at_s, "When are you open")], ANSWER, mutes=True, lasts_s=at_s + 6.5)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]
    assert played.transcript.turns[0].offset_s == pytest.approx(at_s, abs=0.1)


@pytest.mark.parametrize("at_s", [3.0, 4.0])
def test_a_microphone_that_is_muted_after_a_backchannel(at_s: float):
    played = play(
        [says(0.5, "When are you open"), says(at_s, "okay")], ANSWER, mutes=True, lasts_s=9.0
    )

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


def test_noise_without_words_is_no_turn():
    models = FakeModels(transcriber=FakeTranscriber(understands=lambda text: ""))
    played = play([says(0.5, "hum hum"), says(3.0, "hum")], models=models, lasts_s=6.0)

    check(played)
    assert played.said == []


def test_a_file_pushed_at_once_is_heard_as_from_a_microphone():
    played = play([(0.1, lambda call: call.hear(spoken("When are you open")))], ANSWER, lasts_s=7.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


@pytest.mark.parametrize("piece", [7, 1_023, 5_000])
def test_sound_comes_in_any_pieces(piece: int):
    sound = spoken("When are you open").astype("<i2").tobytes()

    def push(call: object) -> None:
        for start in range(0, len(sound), piece):
            call.hear(sound[start : start + piece])  # type: ignore[attr-defined]

    played = play([(0.1, push)], ANSWER, mutes=True, lasts_s=7.0)

    check(played)
    assert played.said == [("user", "When are you open"), ("agent", ANSWER)]


def test_a_turn_of_half_a_minute_is_understood_in_parts():
    words = [f"word{n}" for n in range(80)]
    script = [
        says(0.5 + 0.32 * 20 * n + 0.5 * n, " ".join(words[20 * n : 20 * n + 20])) for n in range(4)
    ]
    models = FakeModels(turn_end=FakeTurnEnd(sure=0.1), transcriber=FakeTranscriber(takes_s=0.05))
    played = play(script, models=models, lasts_s=34.0)

    check(played)
    assert played.said[0] == ("user", " ".join(words))
    assert max(len(heard.split()) for heard in models.transcriber.heard) < 75
    sound = played.transcript.turns[0].sound
    assert sound is not None
    assert [played.said[0][1][word.start_char : word.end_char] for word in sound.words] == words
    assert sound.words[60].start_s == pytest.approx(0.5 + 0.32 * 60 + 1.5, abs=0.1)


@pytest.mark.parametrize("silence_s", [1.0, 2.0, 3.0])
def test_silence_is_counted_from_the_end_of_the_sound(silence_s: float):
    config = agent(
        first_message="Hello and welcome to the library.",
        turn_taking={
            "silence_timeout_s": silence_s,
            "max_reengagements": 1,
            "goodbye_message": "Goodbye then.",
        },
    )
    played = play([], config=config, lasts_s=20.0)

    check(played)
    assert [text for _, text in played.said][1:] == ["Are you still there?", "Goodbye then."]
    assert played.reason == "silence"
    second = played.first_audio_s(played.agent_ids[1])
    assert second == pytest.approx(0.1 + 33 / 20 + silence_s + 0.1, abs=0.1)
    last = played.agent_ids[-1]
    assert len(played.audio_of(last)) / 16_000 == pytest.approx(13 / 20, abs=0.01)
    ended_s = played.events[-1][0]
    assert ended_s >= played.first_audio_s(last) + 13 / 20 - 0.01


def test_who_speaks_is_not_asked_whether_they_are_there():
    config = agent(turn_taking={"silence_timeout_s": 1.0})
    played = play([says(0.5, "one " * 12)], "Good.", config=config, lasts_s=6.5)

    check(played)
    assert [text for _, text in played.said][:2] == ["one " * 11 + "one", "Good."]


@pytest.mark.parametrize("max_s", [1.0, 2.9, 3.5, 4.5])
def test_the_longest_duration_cuts_the_agent_short_and_says_goodbye(max_s: float):
    config = agent(turn_taking={"max_duration_s": max_s, "goodbye_message": "Time is up."})
    played = play([says(0.5, "When are you open")], ANSWER, config=config, lasts_s=12.0)

    check(played)
    assert (played.reason, played.said[-1]) == ("max_duration", ("agent", "Time is up."))
    assert len(played.audio_of(played.of(AgentAudio)[-1].event_id)) / 16_000 > 0.5
