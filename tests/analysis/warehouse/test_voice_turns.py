"""What reports tell of spoken conversations."""

from datetime import timedelta
from typing import Any

import pytest

from analysis.privacy.masked_stores import RedactedConversations
from analysis.warehouse.call_metrics import call_metrics
from conversation.agent.privacy_config import PrivacySection
from conversation.transcript import TimedWord, Transcript, Turn, TurnSound
from tests.analysis.calls import AGENT, DAY, Stores, hold_call, refresh
from tests.analysis.warehouse.asked import ask, ask_rows


def turn(role: Any, text: str, start_s: float, end_s: float, **changes: Any) -> Turn:
    waits: dict[str, float] = {}
    if (ms := changes.pop("first_audio_ms", None)) is not None:
        waits = {"speech_end_to_decided_ms": 200.0, "speech_end_to_first_audio_ms": ms}
    sound = TurnSound(start_s=start_s, end_s=end_s, **waits, words=changes.pop("words", ()))
    return Turn(role=role, text=text, offset_s=start_s, sound=sound, **changes)


CALL = (
    turn("agent", "Hello.", 0.5, 1.5),
    turn("user", "I would like", 3.0, 4.0),
    turn("agent", "Would", 4.5, 5.0, interrupted=True, first_audio_ms=500.0),
    turn("user", "two tickets for Friday", 5.2, 7.2),
    turn("agent", "Two tickets.", 8.0, 9.0, first_audio_ms=800.0),
    turn("user", "no three", 8.8, 9.8),
)


def hold(stores: Stores, turns: tuple[Turn, ...], conversation_id: str = "spoken") -> None:
    store = stores.conversations
    store.begin(conversation_id, agent_id=AGENT.agent_id, started_at=DAY)
    for each in turns:
        store.append_turn(conversation_id, each, at=DAY + timedelta(seconds=each.offset_s or 0))
    store.end(conversation_id, reason="user_ended", at=DAY + timedelta(seconds=10))


def test_each_spoken_turn_has_its_place_its_waits_and_whether_it_was_cut(stores: Stores):
    hold(stores, CALL)
    hold_call(stores.conversations, "written")
    refresh(stores)
    rows = ask_rows(stores, "select * from voice_turns order by turn_index")

    assert {row["conversation_id"] for row in rows} == {"spoken"}
    assert [row["spoken_s"] for row in rows] == pytest.approx([1.0, 1.0, 0.5, 2.0, 1.0, 1.0])
    silences = [row["silence_before_s"] for row in rows]
    assert silences[0] is None
    assert silences[1:] == pytest.approx([1.5, 0.5, 0.2, 0.8, -0.2])
    assert [row["is_cut_off"] for row in rows] == [False, True, False, False, False, False]
    assert [row["interrupted"] for row in rows] == [False, False, True, False, False, False]
    assert [row["speech_end_to_first_audio_ms"] for row in rows] == [
        *(None, None, 500.0, None, 800.0, None)
    ]
    assert ask(stores, "select p50_ms from latency where step = 'speech_end_to_first_audio'") == [
        (650.0,)
    ]


def test_a_call_is_measured_by_its_sound(stores: Stores):
    metrics = call_metrics(Transcript(conversation_id="c", turns=CALL))

    assert metrics.agent_talk_share == pytest.approx(2.5 / 6.5)
    assert metrics.silence_s == pytest.approx(1.5 + 0.5 + 0.2 + 0.8)
    assert metrics.cut_off_turns == 1
    assert metrics.interruptions == 1
    assert metrics.speech_end_to_first_audio_p50_ms == 500.0
    assert metrics.speech_end_to_first_audio_p95_ms == 800.0


def test_without_sound_nothing_is_said_of_it():
    written = (Turn(role="agent", text="Hello."), Turn(role="user", text="Hi.", offset_s=2.0))
    metrics = call_metrics(Transcript(conversation_id="c", turns=written))

    assert metrics.agent_talk_share is None
    assert metrics.speech_end_to_first_audio_p50_ms is None
    assert metrics.cut_off_turns == 0


def test_a_turn_that_the_user_talked_over_later_was_not_cut_off():
    late = (
        turn("user", "When are you open", 1.0, 2.0),
        turn("agent", "From nine to five on", 2.5, 6.0, interrupted=True),
        turn("user", "And on Sunday?", 5.8, 7.0),
    )

    assert call_metrics(Transcript(conversation_id="c", turns=late)).cut_off_turns == 0


def test_masked_words_are_silent_where_they_were_said(stores: Stores):
    text = "write to ada@example.org please"
    words = tuple(
        TimedWord(start_char=start, end_char=end, start_s=at_s, end_s=at_s + 0.5)
        for start, end, at_s in ((0, 5, 2.0), (6, 8, 2.5), (9, 24, 3.0), (25, 31, 4.0))
    )
    hold(stores, (turn("user", text, 2.0, 4.5, words=words),))
    engine = stores.conversations.engine
    masking = {AGENT.agent_id: PrivacySection(redact=True)}
    masked = RedactedConversations(engine, masking)
    open_ones = RedactedConversations(engine, {AGENT.agent_id: PrivacySection()})

    assert open_ones.silent_spans("spoken") == ()
    spans = [(span.start_s, span.end_s) for span in masked.silent_spans("spoken")]
    assert spans == [
        pytest.approx((2.85, 3.65)),
        pytest.approx((0.0, 1.7)),
        (pytest.approx(4.8), None),
    ]
    shown = masked.transcript("spoken").turns[0]
    assert shown.text == "write to [EMAIL_1] please"
    assert shown.sound is not None
    last = shown.sound.words[-1]
    assert shown.text[last.start_char : last.end_char] == "please"
