"""What the events of a voice call become on the wire."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.models.voice_config import AudioFormat
from conversation.server.socket.frames import ServerMessage
from conversation.server.socket.sound.call_meaning import CallFrames, alignment_of
from conversation.server.socket.sound_frames import Audio, UserTranscript
from conversation.transcript import Turn
from conversation.turn.events import AgentTurn, RetrievalDone, ToolCall, ToolRequest
from conversation.voice.audio import FORMATS, AudioDecoder
from conversation.voice.call_events import (
    AgentAudio,
    AgentText,
    AgentTextCorrected,
    CallEvent,
    CallOver,
    DuringTurn,
    Interrupted,
    SpeechFailed,
    TentativeUserText,
    UserTurn,
    VoiceScore,
)
from conversation.voice.ports import TimedChars


def told(*events: CallEvent, output: AudioFormat = "pcm_16000") -> list[ServerMessage]:
    frames = CallFrames(output)
    return [frame for event in events for frame in frames.frames(event)]


def kinds(*events: CallEvent) -> list[str]:
    return [frame.type for frame in told(*events)]


def sound(event_id: int, count: int = 640, value: int = 900) -> AgentAudio:
    return AgentAudio(event_id, np.full(count, value, dtype=np.int16))


def over(event_id: int, text: str = "Yes.", **changes: object) -> DuringTurn:
    turn = Turn(role="agent", text=text)
    return DuringTurn(event_id, AgentTurn(text, (), None, None, turn=turn, **changes))  # pyright: ignore[reportArgumentType]


def test_a_spoken_turn_is_told_in_the_order_that_clients_follow():
    events = (
        TentativeUserText("are you"),
        UserTurn(3, "Are you open?"),
        DuringTurn(4, RetrievalDone((), "open")),
        AgentAudio(4, np.zeros(640, dtype=np.int16)),
        AgentText(4, "Yes."),
        over(4),
    )

    assert kinds(*events) == [
        "tentative_user_transcript",
        "user_transcript",
        "audio",
        "agent_response",
    ]


def test_a_user_who_goes_on_is_told_once_with_all_the_words():
    frames = told(
        UserTurn(3, "I want"),
        DuringTurn(4, RetrievalDone((), "want")),
        UserTurn(5, "I want two tickets", amends=True),
        sound(6),
    )
    said = [
        frame.user_transcription_event.user_transcript
        for frame in frames
        if isinstance(frame, UserTranscript)
    ]

    assert said == ["I want two tickets"]


def test_words_that_nobody_answered_are_told_at_the_end():
    assert kinds(UserTurn(3, "Bye"), CallOver("user_ended")) == ["user_transcript"]
    assert kinds(UserTurn(3, "One"), UserTurn(4, "Two"), CallOver("user_ended")) == [
        "user_transcript",
        "user_transcript",
    ]


def test_an_interruption_comes_before_its_correction_and_stops_the_sound():
    events = (
        sound(4),
        AgentText(4, "Yes, we are open."),
        Interrupted(4),
        AgentTextCorrected(4, "Yes, we are open.", "Yes, we"),
        over(4, "Yes, we", interrupted=True),
        sound(6),
    )
    frames = told(*events, output="pcm_24000")

    assert [frame.type for frame in frames] == [
        "audio",
        "agent_response",
        "interruption",
        "agent_response_correction",
        "audio",
    ]
    ids = [frame.audio_event.event_id for frame in frames if isinstance(frame, Audio)]
    assert ids == [4, 6], "nothing of the turn that was cut is sent later"


def test_the_call_hangs_up_after_the_goodbye_was_heard():
    request = ToolRequest("end_call", "t", {}, "system")
    events = (
        DuringTurn(4, request),
        DuringTurn(4, ToolCall(tool_name="end_call", tool_call_id="t", result="ok")),
        sound(4),
        AgentText(4, "Goodbye."),
        over(4, "Goodbye."),
    )

    assert kinds(*events) == [
        "agent_tool_request",
        "audio",
        "agent_response",
        "agent_tool_response",
    ]


def test_tools_of_the_client_are_asked_for_while_the_agent_speaks():
    request = ToolRequest("look", "t", {"at": 3}, "client")
    events = (
        sound(4),
        DuringTurn(4, request),
        DuringTurn(4, ToolCall(tool_name="look", tool_call_id="t", result="ok")),
        sound(4),
    )

    assert kinds(*events) == [
        "audio",
        "agent_tool_request",
        "client_tool_call",
        "agent_tool_response",
        "audio",
    ]


@pytest.mark.parametrize("side", ["hearing", "speaking"])
def test_a_failure_is_told_without_what_the_model_said_of_itself(side: str):
    (frame,) = told(SpeechFailed(side, "http://internal:9 refused"))  # pyright: ignore[reportArgumentType]

    assert frame.type == "error"
    assert "internal" not in frame.model_dump_json()


def test_scores_are_told_eight_times_a_second_with_the_highest_of_them():
    frames = told(*(VoiceScore(each) for each in (0.1, 0.93, 0.2, 0.3, 0.4)))

    assert [frame.model_dump() for frame in frames] == [
        {"type": "vad_score", "vad_score_event": {"vad_score": 0.93}}
    ]


def test_sound_without_times_has_no_alignment_at_all():
    (frame,) = told(sound(4))

    assert '"alignment"' not in frame.model_dump_json()


@pytest.mark.parametrize("output", FORMATS)
def test_every_sample_of_a_turn_is_sent_in_the_format_that_was_agreed(output: AudioFormat):
    pieces = [sound(4, count) for count in (640, 1, 333, 4_000)]
    frames = told(*pieces, over(4), output=output)
    decoder = AudioDecoder(output)
    heard = [
        decoder.decode(base64.b64decode(frame.audio_event.audio_base_64))
        for frame in frames
        if isinstance(frame, Audio)
    ]
    whole = np.concatenate((*heard, decoder.finish()))

    assert 0 <= len(whole) - 4_974 <= 2
    assert np.abs(whole[200:-200].astype(int) - 900).max() < 40
    data = [frame.audio_event.audio_base_64 for frame in frames if isinstance(frame, Audio)]
    assert all(len(base64.b64decode(each)) % 2 == 0 for each in data if output != "ulaw_8000")


groups = st.lists(
    st.tuples(st.text(max_size=6), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=6
)


@given(groups=groups)
def test_each_character_has_its_own_time(groups: list[tuple[str, float, float]]):
    timed = [TimedChars(chars, start_s, long_s) for chars, start_s, long_s in groups]
    alignment = alignment_of(timed)

    if alignment is None:
        assert not any(chars for chars, _, _ in groups)
        return
    assert "".join(alignment.chars) == "".join(chars for chars, _, _ in groups)
    assert len(alignment.chars) == len(alignment.char_start_times_ms)
    assert len(alignment.chars) == len(alignment.char_durations_ms)
    assert min(alignment.char_durations_ms) >= 0


def test_characters_of_a_word_share_its_time():
    alignment = alignment_of([TimedChars("abc", 0.1, 0.1), TimedChars(" ", 0.2, 0.05)])

    assert alignment is not None
    assert alignment.char_start_times_ms == (100, 133, 167, 200)
    starts, durations = alignment.char_start_times_ms, alignment.char_durations_ms
    assert [a + b for a, b in zip(starts, durations, strict=True)] == [*starts[1:], 250]
