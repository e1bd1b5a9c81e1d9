"""The sound of a call on disk: while it is held, after a kill, afterwards, and silenced."""

import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.errors import AudioError
from conversation.transcript import TimedWord, Turn, TurnSound
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.recording import encoding, kept_calls
from conversation.voice.recording.call_file import AGENT, USER, CallFile, read_wav
from conversation.voice.recording.kept_calls import KeptCalls, Sides
from conversation.voice.recording.silencing import silenced, silent_spans

SECOND = SAMPLE_RATE_HZ


def sound(seconds: float, size: int = 1_000) -> Samples:
    return np.full(round(seconds * SECOND), size, dtype=np.int16)


def recorded(kept: KeptCalls, name: str = "conv_1", user: int = 500, agent: int = -500) -> None:
    call = kept.begin(name)
    call.heard(sound(2, user), 0.0)
    call.said(sound(1, agent), 0.5)
    call.close()


def test_both_channels_stand_where_they_were_heard(tmp_path: Path):
    call = CallFile(tmp_path / "call.wav")
    call.heard(sound(1, 7), 0.0)
    call.said(sound(0.5, 9), 0.25)
    call.heard(sound(1, 8), 2.0)
    call.close()
    found = read_wav(tmp_path / "call.wav")

    assert len(found) == 3 * SECOND
    assert (found[:SECOND, USER] == 7).all()
    assert (found[SECOND : 2 * SECOND, USER] == 0).all(), "a gap is silence"
    assert (found[2 * SECOND :, USER] == 8).all()
    assert (found[SECOND // 4 : 3 * SECOND // 4, AGENT] == 9).all()
    assert (found[: SECOND // 4, AGENT] == 0).all()
    assert (found[3 * SECOND // 4 :, AGENT] == 0).all()


def test_what_was_flushed_was_not_heard(tmp_path: Path):
    call = CallFile(tmp_path / "call.wav")
    call.heard(sound(1, 7), 0.0)
    call.said(sound(2, 9), 0.5)
    call.cut(0.75)
    assert call.length_s == 1.0
    call.said(sound(0.25, 5), 1.5)
    call.close()
    found = read_wav(tmp_path / "call.wav")

    assert len(found) == round(1.75 * SECOND)
    assert (found[SECOND // 2 : 3 * SECOND // 4, AGENT] == 9).all()
    assert (found[3 * SECOND // 4 : 3 * SECOND // 2, AGENT] == 0).all()
    assert (found[:SECOND, USER] == 7).all(), "the user's channel is left alone"
    assert (found[3 * SECOND // 2 :, AGENT] == 5).all()


@settings(max_examples=40, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.booleans(), st.integers(1, 3_000)), max_size=30),
    jitter=st.integers(-200, 200),
)
def test_pieces_of_any_size_in_any_order_join_without_a_gap(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[tuple[bool, int]], jitter: int
):
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    call = CallFile(path)
    ends = [0, 0]
    for is_agent, count in pieces:
        channel = AGENT if is_agent else USER
        piece = np.arange(ends[channel], ends[channel] + count).astype(np.int16)
        at_s = (ends[channel] + jitter) / SECOND
        (call.said if is_agent else call.heard)(piece, at_s)
        ends[channel] += count
    call.close()
    found = read_wav(path)

    assert len(found) == max(ends)
    for channel in (USER, AGENT):
        expected = np.arange(ends[channel]).astype(np.int16)
        assert np.array_equal(found[: ends[channel], channel], expected)
        assert not found[ends[channel] :, channel].any()


def test_a_killed_process_loses_no_sound_that_it_was_given(tmp_path: Path):
    program = Path(__file__).with_name("recording_process.py")
    process = subprocess.Popen(
        [sys.executable, program, tmp_path / "calls"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    last = 0
    for line in process.stdout:
        last = int(line)
        if last >= 120:
            process.send_signal(signal.SIGKILL)
            break
    last = max([last, *(int(line) for line in process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    kept = KeptCalls(tmp_path / "calls")

    assert kept.unfinished() == ["conv_killed"]
    found = kept.sound("conv_killed")
    assert len(found) >= (last + 1) * 512
    assert (found[120 * 512 : 121 * 512] == [120, -120]).all()

    kept.finish("conv_killed")

    assert kept.unfinished() == []
    assert np.array_equal(kept.sound("conv_killed"), found)


def test_any_player_can_read_a_file_whose_process_was_killed(tmp_path: Path):
    now_s = 0.0
    call = CallFile(tmp_path / "call.wav", timer_s=lambda: now_s)
    for number in range(12):
        now_s = float(number)
        call.heard(sound(1), now_s)

    with wave.open(str(tmp_path / "call.wav")) as read:
        assert read.getnframes() >= 10 * SECOND, "its header is 5 s old at most"


def test_without_the_extra_the_recording_stays_a_wav_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kept_calls, "can_encode", lambda: False)
    kept = KeptCalls(tmp_path)
    recorded(kept)
    kept.finish("conv_1")
    listened = kept.listened("conv_1")

    assert kept.unfinished() == ["conv_1"]
    assert (listened.media_type, len(read_wav(listened.path))) == ("audio/wav", 2 * SECOND)
    assert kept.sides("conv_1") == Sides(user=True, agent=True)


def test_it_is_said_what_is_missing_for_flac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)

    with pytest.raises(AudioError, match=r"pip install 'vivavoce\[voice\]'"):
        encoding.mp3(np.zeros((100, 2), dtype=np.int16))


@pytest.mark.parametrize(
    ("user", "agent", "sides"),
    [(5, 5, Sides(True, True)), (5, 0, Sides(True, False)), (0, 5, Sides(False, True))],
)
def test_who_can_be_heard_is_known_before_and_after(
    tmp_path: Path, user: int, agent: int, sides: Sides
):
    kept = KeptCalls(tmp_path)
    assert kept.sides("conv_1") is None
    recorded(kept, user=user, agent=agent)

    assert kept.sides("conv_1") == sides
    kept.finish("conv_1")
    assert kept.sides("conv_1") == sides


def test_nothing_is_kept_of_a_call_without_sound(tmp_path: Path):
    kept = KeptCalls(tmp_path)
    kept.begin("conv_1").close()
    kept.finish("conv_1")

    assert not kept.has("conv_1")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_the_recording_and_not_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    call = CallFile(tmp_path / "call.wav")
    call.heard(sound(1), 0.0)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("conversation.voice.recording.call_file.os.pwrite", full)
    call.heard(sound(1), 1.0)
    call.said(sound(1), 1.0)
    call.cut(1.5)
    call.close()

    assert call.failure == "OSError"
    assert len(read_wav(tmp_path / "call.wav")) == SECOND


def test_deleting_leaves_nothing_of_the_call_and_all_of_the_others(tmp_path: Path):
    kept = KeptCalls(tmp_path)
    for name in ("conv_1", "conv_11"):
        recorded(kept, name)
        kept.finish(name)
        kept.listened(name)

    assert kept.delete("conv_1") == 3
    assert kept.delete("conv_1") == 0
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"conv_11"}
    assert kept.delete("../conv_11") == 0
    assert not kept.has("../conv_11")


# What nobody may hear.


def spoken(role: str, text: str, start_s: float, *, timed: bool = True) -> Turn:
    """A turn of which each character takes 0.1 s."""
    words: list[TimedWord] = []
    at = 0
    for word in text.split():
        at = text.index(word, at)
        end = at + len(word)
        words.append(
            TimedWord(
                start_char=at,
                end_char=end,
                start_s=start_s + at / 10,
                end_s=start_s + end / 10,
            )
        )
        at = end
    heard = TurnSound(
        start_s=start_s, end_s=start_s + len(text) / 10, words=tuple(words if timed else ())
    )
    return Turn.model_validate({"role": role, "text": text, "sound": heard})


def loud(turns: list[Turn], masked: dict[int, list[tuple[int, int]]], seconds: int = 20):
    full = np.full((seconds * SECOND, 2), 1_000, dtype=np.int16)
    return silenced(full, silent_spans(turns, masked)) != 0


def test_masked_words_are_silent_and_those_around_them_are_not():
    turns = [
        spoken("user", "my number is 555 1234 thanks", 2.0),
        spoken("agent", "I noted 555 1234.", 6.0),
    ]
    heard = loud(turns, {0: [(13, 21)], 1: [(8, 16)]})

    def at(channel: int, start_s: float, end_s: float):
        return heard[round(start_s * SECOND) : round(end_s * SECOND), channel]

    assert at(USER, 2.0, 3.1).all()
    assert not at(USER, 3.3, 4.1).any()
    assert at(USER, 4.3, 4.8).all()
    assert at(AGENT, 0, 6.6).all()
    assert not at(AGENT, 6.8, 7.7).any()
    assert at(AGENT, 7.9, 20).all()


def test_a_turn_without_times_is_silent_as_a_whole():
    turns = [spoken("user", "my number is 555 1234 thanks", 2.0, timed=False)]

    assert not loud(turns, {0: [(13, 21)]})[:, USER].any()


def test_what_was_said_outside_of_turns_is_silent_as_nobody_knows_its_words():
    turns = [spoken("user", "hello there", 2.0), spoken("user", "and goodbye", 8.0)]
    heard = loud(turns, {})

    assert heard[2 * SECOND : 3 * SECOND, USER].all()
    assert not heard[: round(1.6 * SECOND), USER].any()
    assert not heard[4 * SECOND : 7 * SECOND, USER].any()
    assert not heard[10 * SECOND :, USER].any()
    assert heard[:, AGENT].all()


def test_written_turns_have_no_sound_to_silence():
    turns = [Turn(role="user", text="555 1234"), spoken("agent", "I noted it", 1.0)]

    assert loud(turns, {0: [(0, 8)]})[:, AGENT].all()


def test_what_a_killed_writer_left_of_a_call_is_deleted_with_it(tmp_path: Path):
    kept = KeptCalls(tmp_path)
    recorded(kept, "conv_1")
    (tmp_path / ".conv_1.wav.77-78.next").write_bytes(b"half of what was said")
    (tmp_path / ".conv_11.wav.77-78.next").write_bytes(b"of somebody else")
    kept.delete("conv_1")

    assert [path.name for path in tmp_path.iterdir()] == [".conv_11.wav.77-78.next"]
