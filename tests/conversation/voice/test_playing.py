"""A recording as the user's microphone."""

import asyncio
import random
import wave
from pathlib import Path

import numpy as np
import pytest

from conversation.errors import AudioError
from conversation.transcript import Transcript
from conversation.voice.call import VoiceCall
from conversation.voice.call_events import CallEvent, CallOver
from conversation.voice.playing import play_recording
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.recording import reading
from conversation.voice.recording.call_file import AGENT, USER, CallFile, read_wav
from conversation.voice.recording.reading import read_sound
from tests.conversation.voice.calling.played import SlowChatModel, agent, shared_store
from tests.conversation.voice.fakes import FakeModels, silence, spoken
from tests.virtual_time import run_in_virtual_time


def write(
    path: Path, samples: Samples, *, rate_hz: int = SAMPLE_RATE_HZ, channels: int = 1
) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(samples, channels).astype("<i2").tobytes())
    return path


def played(
    sound: Samples, out: Path, *, is_fast: bool
) -> tuple[Transcript, list[CallEvent], float]:
    events: list[CallEvent] = []
    transcripts: list[Transcript] = []
    lasted: list[float] = []

    async def hold() -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        call = VoiceCall.start(
            agent(first_message="Hello there."),
            models=FakeModels(),
            recorder=CallFile(out),
            chat_model=SlowChatModel("We open at nine.", "You are welcome."),
            store=shared_store(),
            new_id=lambda: f"{random.getrandbits(64):016x}",
        )
        async with call:
            await play_recording(call, sound, is_fast=is_fast, tell=events.append)
            transcripts.append(await call.end())
        lasted.append(loop.time() - began_s)

    run_in_virtual_time(hold())
    return transcripts[0], events, lasted[0]


SCRIPT = np.concatenate(
    [silence(2.0), spoken("when are you open"), silence(20.0), spoken("many thanks")]
)


@pytest.mark.parametrize("is_fast", [False, True])
def test_a_recording_is_answered_to_its_last_word_and_written_down(tmp_path: Path, is_fast: bool):
    out = tmp_path / "call.wav"
    transcript, events, lasted_s = played(SCRIPT, out, is_fast=is_fast)

    assert [(turn.role, turn.text) for turn in transcript.turns] == [
        ("agent", "Hello there."),
        ("user", "when are you open"),
        ("agent", "We open at nine."),
        ("user", "many thanks"),
        ("agent", "You are welcome."),
    ]
    assert not any(turn.interrupted for turn in transcript.turns)
    assert events[-1] == CallOver("user_ended")
    assert lasted_s < 15 if is_fast else lasted_s > 23
    sound = read_wav(out)
    assert np.abs(sound[: len(SCRIPT), USER] - SCRIPT).max() == 0
    for turn in transcript.turns:
        assert turn.sound is not None
        channel = USER if turn.role == "user" else AGENT
        start, end = (
            round(at_s * SAMPLE_RATE_HZ) for at_s in (turn.sound.start_s, turn.sound.end_s)
        )
        assert np.count_nonzero(sound[start:end, channel]) > 0.9 * (end - start)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (16_000, 1), (44_100, 2)])
def test_a_file_of_any_rate_is_read_as_the_call_hears_it(
    tmp_path: Path, rate_hz: int, channels: int
):
    samples = np.full(rate_hz, 900, dtype=np.int16)
    found = read_sound(write(tmp_path / "a.wav", samples, rate_hz=rate_hz, channels=channels))

    assert len(found) == SAMPLE_RATE_HZ
    assert np.abs(found[500:-500].astype(int) - 900).max() <= 2


@pytest.mark.parametrize(
    ("name", "subtype", "off"),
    [
        ("a.wav", "PCM_16", 0),
        ("a.wav", "PCM_24", 0),
        ("a.wav", "PCM_U8", 256),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.wav", "ULAW", 700),
        ("a.wav", "ALAW", 700),
        ("a.aiff", "FLOAT", 0),
        ("a.flac", "PCM_16", 0),
    ],
)
def test_a_file_of_any_encoding_is_read_as_it_sounds(
    tmp_path: Path, name: str, subtype: str, off: int
):
    soundfile = pytest.importorskip("soundfile")
    loud = np.array([0, 1, -1, 900, -900, 32_767, -32_768] * 20, np.int16)
    soundfile.write(tmp_path / name, loud / 32_768, SAMPLE_RATE_HZ, subtype=subtype)

    found = read_sound(tmp_path / name)
    assert np.abs(found.astype(int) - loud).max() <= off


def test_a_float_file_with_broken_numbers_is_heard_and_one_too_loud_is_clipped(tmp_path: Path):
    soundfile = pytest.importorskip("soundfile")
    sound = np.array([0.5, np.nan, np.inf, -np.inf, 7.0, -7.0, 0.25], np.float32)
    soundfile.write(tmp_path / "a.wav", sound, SAMPLE_RATE_HZ, subtype="FLOAT")

    assert read_sound(tmp_path / "a.wav").tolist() == [
        *(16_384, 0, 32_767, -32_768, 32_767, -32_768, 8_192)
    ]


@pytest.mark.parametrize("extra", [True, False], ids=["with soundfile", "without"])
@pytest.mark.parametrize(
    ("field", "value", "samples"),
    [
        ("rate", 1, None),
        ("rate", 4_000_000_000, None),
        ("length", 3 * 3_600 * 32_000, 100),
        ("length", 0xFFFFFFFF, 100),
    ],
)
def test_what_a_header_claims_is_not_believed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    field: str,
    value: int,
    samples: int | None,
    extra: bool,
):
    if extra:
        pytest.importorskip("soundfile")
    else:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    file = write(tmp_path / "a.wav", np.full(100, 900, np.int16))
    data = file.read_bytes()
    place = 24 if field == "rate" else 40
    file.write_bytes(data[:place] + value.to_bytes(4, "little") + data[place + 4 :])

    if samples is None:
        with pytest.raises(AudioError, match=r"a\.wav"):
            read_sound(file)
    else:
        assert read_sound(file).tolist() == [900] * samples


def test_hours_of_compressed_silence_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", np.zeros(2 * SAMPLE_RATE_HZ, np.int16), SAMPLE_RATE_HZ)
    monkeypatch.setattr(reading, "MAX_HOURS", 1 / 3_600)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_: pytest.fail("unpacked"))

    with pytest.raises(AudioError, match=r"a\.flac.*is longer than"):
        read_sound(tmp_path / "a.flac")


def test_what_is_no_sound_is_refused_with_its_name(tmp_path: Path):
    text = tmp_path / "words.wav"
    text.write_text("no sound at all", "utf-8")
    with pytest.raises(AudioError, match=r"words\.wav"):
        read_sound(text)
    with pytest.raises(AudioError, match=r"missing\.wav.*cannot be read"):
        read_sound(tmp_path / "missing.wav")
    cut = write(tmp_path / "cut.wav", np.zeros(100, np.int16))
    cut.write_bytes(cut.read_bytes()[:-3])
    assert len(read_sound(cut)) == 98
    empty = write(tmp_path / "empty.wav", np.zeros(0, np.int16))
    assert len(read_sound(empty)) == 0
