"""Recordings as conversations: with ears replaced at the port, and the real ones (slow)."""

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from conversation.importing.files import ImportReport, import_path
from conversation.importing.recordings import CROSSTALK, CUT_OFF
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from conversation.voice.hearing.open_hearing import Hearing
from conversation.voice.hearing.utterances import SpeechSegment, joined
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, Transcription

RATE = SAMPLE_RATE_HZ


class Loud:
    """A detector for which loud is a voice."""

    def probability(self, frame: Samples) -> float:
        return float(np.abs(frame).mean() > 100)

    def reset(self) -> None:
        """Nothing is remembered."""


class Pitch:
    """A transcriber that says the frequency of what it hears, in hundreds."""

    name = "fake/pitch"

    def __init__(self) -> None:
        self.calls = 0

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        self.calls += 1
        spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
        hundreds = round(float(spectrum.argmax()) * RATE / len(samples) / 100)
        return Transcription(f"{hundreds} hundred", "en")

    async def probability(self, samples: Samples) -> float:
        return 1.0


class Words:
    def probability(self, text: str, *, language: str) -> float:
        return 0.5


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


@pytest.fixture
def ear() -> Pitch:
    return Pitch()


def track(*said: tuple[float, float, int], seconds: float = 12, loudness: int = 8_000) -> Samples:
    """Silence with tones: (from, to, frequency)."""
    sound = np.zeros(int(seconds * RATE))
    for start, end, hertz in said:
        places = np.arange(int(start * RATE), int(end * RATE))
        sound[places] = loudness * np.sin(2 * np.pi * hertz * places / RATE)
    return sound.astype(np.int16)


USER = track((0.5, 2.0, 300), (7.0, 8.0, 500))
AGENT = track((2.5, 4.0, 1_000), (4.4, 6.0, 1_000), (9.0, 10.0, 1_200))


def write(path: Path, *channels: Samples) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())
    return path


def take(path: Path, store: ConversationStore, ear: Pitch, **given: Any) -> ImportReport:
    hearing = Hearing(Loud, ear, ear, Words())
    return import_path(path, store, "support", hearing=lambda: hearing, **given)


def only(report: ImportReport, store: ConversationStore) -> Transcript:
    assert report.rejected == []
    (conversation_id,) = report.imported
    return store.transcript(conversation_id)


def test_each_channel_is_a_speaker_and_turns_stand_where_they_were_said(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    path = write(tmp_path / "call.wav", USER, AGENT)

    found = only(take(path, store, ear, agent_speakers=["right"]), store)

    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("user", "3 hundred"),
        ("agent", "10 hundred"),
        ("user", "5 hundred"),
        ("agent", "12 hundred"),
    ]
    assert [turn.offset_s for turn in found.turns] == pytest.approx([0.5, 2.5, 7, 9], abs=0.05)
    ends = [turn.sound.end_s for turn in found.turns if turn.sound]
    assert ends == pytest.approx([2.0, 6.0, 8.0, 10.0], abs=0.05)
    assert found.source == "recording"
    assert found.agent_id == "support"


def test_the_other_channel_may_be_the_agents(tmp_path: Path, store: ConversationStore, ear: Pitch):
    path = write(tmp_path / "call.wav", USER, AGENT)

    found = only(take(path, store, ear, user_speakers=["right"]), store)

    assert [turn.role for turn in found.turns] == ["agent", "user", "agent", "user"]


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        ((USER, AGENT), "channels are `left` and `right`, and nobody said which is the agent's"),
        ((USER,), "the one that speaks first, `--agent-speaker 'voice 1'`"),
        ((USER, USER), "one channel"),
        ((USER, AGENT, USER), "channels are `channel 1` and `channel 2` and `channel 3`"),
    ],
)
def test_where_roles_are_unclear_the_import_asks_and_hears_nothing(
    tmp_path: Path,
    store: ConversationStore,
    ear: Pitch,
    channels: tuple[Samples, ...],
    told: str,
):
    (rejected,) = take(write(tmp_path / "call.wav", *channels), store, ear).rejected

    assert told in rejected.problem
    assert "--agent-speaker" in rejected.problem
    assert ear.calls == 0


BOTH = track(
    (0.5, 6.5, 300), (7.0, 13.5, 1_000), (14.5, 16.5, 500), (17.5, 19.5, 1_200), seconds=21
)


def by_pitch(windows: list[Samples]) -> NDArray[np.float32]:
    """Voices as a test needs them: a low and a high one, a little different each time."""
    found: list[list[float]] = []
    for number, window in enumerate(windows):
        spectrum = np.abs(np.fft.rfft(window.astype(np.float64)))
        hertz = float(spectrum.argmax()) * RATE / len(window)
        angle = (0.2 if hertz < 800 else 1.3) + 0.05 * (number % 3)
        found.append([np.cos(angle), np.sin(angle)])
    return np.array(found, np.float32)


@pytest.mark.parametrize(
    ("given", "first_role"),
    [
        ({"agent_speakers": ["voice 2"]}, "user"),
        ({"agent_speakers": ["Voice 1"]}, "agent"),
        ({"user_speakers": ["voice 1"]}, "user"),
    ],
)
def test_two_voices_in_one_channel_are_told_apart_where_somebody_says_whose_is_the_agents(
    tmp_path: Path,
    store: ConversationStore,
    ear: Pitch,
    given: dict[str, list[str]],
    first_role: str,
):
    path = write(tmp_path / "call.wav", BOTH)

    found = only(take(path, store, ear, voices=lambda: by_pitch, **given), store)

    other = "agent" if first_role == "user" else "user"
    assert [(turn.role, turn.text) for turn in found.turns] == [
        (first_role, "3 hundred"),
        (other, "10 hundred"),
        (first_role, "5 hundred"),
        (other, "12 hundred"),
    ]
    assert [turn.offset_s for turn in found.turns] == pytest.approx([0.5, 7, 14.5, 17.5], abs=0.05)
    assert found.metadata["speakers"] == "guessed by their voices"
    assert found.metadata["speaker_probabilities"].split() == ["1.00"] * 4
    assert "turns_of_unsure_speaker" not in found.metadata


def test_a_voice_that_takes_over_without_a_pause_is_cut_off(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    both = track((0.5, 4.5, 300), (4.5, 11.5, 1_000), (12.5, 15.5, 300), seconds=17)

    found = only(
        take(
            write(tmp_path / "call.wav", both),
            store,
            ear,
            agent_speakers=["voice 2"],
            voices=lambda: by_pitch,
        ),
        store,
    )

    assert [turn.role for turn in found.turns] == ["user", "agent", "user"]
    assert found.turns[1].offset_s == pytest.approx(4.5, abs=0.8)


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_one_voice_alone_is_not_taken_for_two(
    tmp_path: Path, store: ConversationStore, ear: Pitch, angle: float
):
    def alike(windows: list[Samples]) -> NDArray[np.float32]:
        angles = [angle * (number % 2) for number in range(len(windows))]
        return np.array([[np.cos(each), np.sin(each)] for each in angles], np.float32)

    (rejected,) = take(
        write(tmp_path / "call.wav", BOTH),
        store,
        ear,
        agent_speakers=["voice 1"],
        voices=lambda: alike,
    ).rejected

    assert "wo voices cannot be told apart" in rejected.problem
    assert ear.calls == 0


def test_a_voice_that_says_too_little_is_not_told_apart(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    both = track((0.5, 9.5, 300), (10.0, 14.0, 1_000), seconds=16)

    (rejected,) = take(
        write(tmp_path / "call.wav", both),
        store,
        ear,
        agent_speakers=["voice 2"],
        voices=lambda: by_pitch,
    ).rejected

    assert "each needs 6 s of speech" in rejected.problem


def test_what_is_between_two_voices_is_marked(tmp_path: Path, store: ConversationStore, ear: Pitch):
    def unsure_at_the_end(windows: list[Samples]) -> NDArray[np.float32]:
        found = by_pitch(windows)
        found[-1] = [np.cos(0.78), np.sin(0.78)]
        return found

    both = track((0.5, 7.0, 300), (7.5, 14.5, 1_000), (16.0, 16.5, 500), seconds=18)
    found = only(
        take(
            write(tmp_path / "call.wav", both),
            store,
            ear,
            agent_speakers=["voice 2"],
            voices=lambda: unsure_at_the_end,
        ),
        store,
    )

    assert found.metadata["turns_of_unsure_speaker"] == str(len(found.turns))
    assert float(found.metadata["speaker_probabilities"].split()[-1]) < 0.9


def test_one_channel_of_one_speaker_goes_in_where_somebody_says_whose_it_is(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    path = write(tmp_path / "voicemail.wav", USER)

    found = only(take(path, store, ear, user_speakers=["channel 1"]), store)

    assert [(turn.role, turn.text) for turn in found.turns] == [("user", "3 hundred 5 hundred")]


def test_a_voice_that_came_through_from_the_other_side_is_left_out_and_counted(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    echo = USER + (AGENT // 10)
    path = write(tmp_path / "call.wav", echo, AGENT)

    report = take(path, store, ear, agent_speakers=["right"])

    assert [turn.text for turn in only(report, store).turns] == [
        "3 hundred",
        "10 hundred",
        "5 hundred",
        "12 hundred",
    ]
    assert report.left_out == {CROSSTALK: 3}


def test_a_recording_is_heard_once_whatever_its_name(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    first = write(tmp_path / "calls" / "one.wav", USER, AGENT)
    imported = take(first, store, ear, agent_speakers=["right"]).imported
    calls = ear.calls
    write(tmp_path / "calls" / "copy.wav", USER, AGENT)

    report = take(tmp_path / "calls", store, ear, agent_speakers=["right"])

    assert report.known == imported * 2
    assert ear.calls == calls


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"words" * 99])
def test_what_is_no_recording_is_rejected_and_the_rest_goes_in(
    tmp_path: Path, store: ConversationStore, ear: Pitch, content: bytes
):
    write(tmp_path / "calls" / "good.wav", USER, AGENT)
    (tmp_path / "calls" / "bad.wav").write_bytes(content)

    report = take(tmp_path / "calls", store, ear, agent_speakers=["right"])

    assert len(report.imported) == 1
    assert [row.where for row in report.rejected] == ["bad.wav"]


def test_a_silent_recording_is_said_to_hold_nothing(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    path = write(tmp_path / "call.wav", track(), track((1, 1.01, 300)))

    (rejected,) = take(path, store, ear, agent_speakers=["right"]).rejected

    assert "Nobody says anything" in rejected.problem


async def test_it_works_inside_a_running_loop(tmp_path: Path, store: ConversationStore, ear: Pitch):
    path = write(tmp_path / "call.wav", USER, AGENT)

    assert only(take(path, store, ear, agent_speakers=["right"]), store).turns


def test_short_pauses_do_not_end_an_utterance_and_long_speech_is_cut_at_one():
    spoken = [SpeechSegment(n, n + 0.6) for n in range(60)]
    apart = [SpeechSegment(0, 1), SpeechSegment(1.3, 2), SpeechSegment(3.0, 4)]

    assert list(joined(apart)) == [SpeechSegment(0, 2), SpeechSegment(3.0, 4)]
    assert all(each.end_s - each.start_s < 26 for each in joined(spoken))
    assert next(joined(spoken)).start_s == 0


@pytest.mark.slow
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_a_call_of_real_voices_in_any_format(
    tmp_path: Path, store: ConversationStore, datasets: Path, subtype: str
):
    soundfile = pytest.importorskip("soundfile", reason="the extra `voice` is not installed")
    folder = datasets / "audio_speech" / "dev"
    names = "sense_and_sensibility_01_austen_64kb-0930.wav", "cards_001.wav"
    user, agent = (soundfile.read(folder / name, dtype="float32")[0] for name in names)
    call = np.zeros((len(user) + len(agent), 2), np.float32)
    call[: len(user), 0] = user
    call[len(user) :, 1] = agent
    soundfile.write(tmp_path / "call.wav", call, RATE, subtype=subtype)

    found = only(import_path(tmp_path, store, "support", agent_speakers=["right"]), store)

    assert [turn.role for turn in found.turns] == ["user", "agent"]
    assert "amiable himself" in found.turns[0].text
    assert "of clubs" in found.turns[1].text


@pytest.mark.slow
def test_a_call_of_two_real_voices_in_one_channel(
    tmp_path: Path, store: ConversationStore, datasets: Path
):
    soundfile = pytest.importorskip("soundfile", reason="the extra `voice` is not installed")
    folder = datasets / "audio_speech" / "dev"
    names = (
        "sense_and_sensibility_01_austen_64kb-0930.wav",
        "cards_001.wav",
        "sense_and_sensibility_01_austen_64kb-0880.wav",
        "cards_004.wav",
    )
    parts = [soundfile.read(folder / name, dtype="float32")[0] for name in names]
    pause = np.zeros(RATE // 2, np.float32)
    soundfile.write(
        tmp_path / "call.wav",
        np.concatenate([each for part in parts * 4 for each in (part, pause)]),
        RATE,
    )

    found = only(import_path(tmp_path, store, "support", agent_speakers=["voice 2"]), store)

    assert [turn.role for turn in found.turns] == ["user", "agent"] * 8
    assert "amiable himself" in found.turns[0].text
    assert "clubs" in found.turns[1].text.lower()
    assert found.metadata["speakers"] == "guessed by their voices"


def test_a_silent_recording_says_so_before_anybody_is_asked(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    path = write(tmp_path / "call.wav", track(), track())

    report = take(path, store, ear)

    assert "silent" in report.rejected[0].problem
    assert "--agent-speaker" not in report.rejected[0].problem


def test_sound_that_a_file_promises_and_lacks_is_counted(
    tmp_path: Path, store: ConversationStore, ear: Pitch
):
    path = write(tmp_path / "call.wav", USER, AGENT)
    content = path.read_bytes()
    path.write_bytes(content[:-4_000])

    assert take(path, store, ear, agent_speakers=["right"]).left_out == {CUT_OFF: 4_000}

    # A recorder that does not know yet how long the call will be.
    path.write_bytes(content[:40] + b"\xff\xff\xff\xff" + content[44:])
    assert take(path, store, ear, agent_speakers=["right"]).left_out == {}


def test_an_empty_file_says_so(tmp_path: Path, store: ConversationStore, ear: Pitch):
    (tmp_path / "call.wav").write_bytes(b"")

    report = take(tmp_path / "call.wav", store, ear, agent_speakers=["right"])

    assert "0 bytes" in report.rejected[0].problem
