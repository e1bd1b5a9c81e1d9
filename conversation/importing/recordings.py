"""Recordings of calls -> conversations, heard with the ears of voice calls.

Each channel is a speaker, so whose words are whose is certain: a recorder of a telephone system
writes the two sides of a call apart. In a recording with one channel two voices are told apart by
their sound where somebody says which is the agent's: that is a guess, the conversation says so and
how sure each turn is, and what is too unsure does not go in.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversation.importing.lines import SpokenLine, turns_of_lines
from conversation.importing.platforms.record import RecordPlace, Taken, conversation_of
from conversation.importing.roles import RecordError, roles_of
from conversation.importing.sound_files import SOUND_SUFFIXES, channels_of, missing_bytes
from conversation.transcript import Transcript, Turn, TurnSound
from conversation.voice.hearing.open_hearing import Hearing
from conversation.voice.hearing.utterances import SpeechSegment, joined, voiced
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.speakers.telling_apart import (
    LEAST_S,
    SURE_FROM,
    ToldApart,
    Voices,
    told_apart,
)

CROSSTALK_RATIO = 4.0
"""A voice that the other channel holds this much louder (12 dB) came through from there."""
CROSSTALK = "voices of the other channel"
CUT_OFF = "recording: bytes of sound that the file promises and lacks"
_TWO = ("left", "right")
_ONE = ("channel 1",)
_GUESSED = ("voice 1", "voice 2")
"""The one that speaks first, and the other."""

OpenHearing = Callable[[], Hearing]
OpenVoices = Callable[[], Voices]


@dataclass(frozen=True, slots=True)
class _Said:
    """An utterance of one channel."""

    speaker: str
    at: SpeechSegment
    text: str
    language: str | None


def is_recording(path: Path) -> bool:
    """Whether a file holds sound, by its name."""
    return path.suffix.lower() in SOUND_SUFFIXES


def recording_id(path: Path) -> str:
    """Return the id of the conversation in a recording: the same file is taken in once."""
    return _conversation((Turn(role="user", text="-"),), path, agent_id="-").conversation_id


def conversation_of_recording(
    path: Path, place: RecordPlace, open_hearing: OpenHearing, open_voices: OpenVoices
) -> Taken:
    """Hear a recording.

    Args:
        path: The file.
        place: Who speaks, and whose conversation it is.
        open_hearing: Opens what hears, when it is needed.
        open_voices: Opens what tells voices apart, when one channel holds two.

    Raises:
        RecordError: It cannot be read, nobody speaks, or it cannot be told who the agent is.
        SpeechError: The ears cannot be used.
    """
    channels = channels_of(path)
    names = speakers_of(len(channels))
    if names == _ONE and _given(place) & set(_GUESSED):
        names = _GUESSED
    _check_roles(names, place)
    hearing = open_hearing()
    guess: ToldApart | None = None
    if names == _GUESSED:
        guess = _guessed(channels[0], hearing, open_voices)
        channels = list(guess.channels(channels[0]))
    # A loop of its own: the caller may already run in one.
    with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
        said, left_out = pool.submit(asyncio.run, _heard(channels, names, hearing)).result()
    lines = [SpokenLine(each.speaker, each.text, each.at.start_s) for each in said]
    turns = turns_of_lines(lines, place.agent_speakers, place.user_speakers)
    with_sound = _with_sound(turns, said, place)
    transcript = _conversation(
        with_sound, path, agent_id=place.agent_id, more=_sureness(with_sound, guess)
    )
    if missing := missing_bytes(path):
        left_out[CUT_OFF] += missing
    return Taken(transcript, left_out)


def _guessed(samples: Samples, hearing: Hearing, open_voices: OpenVoices) -> ToldApart:
    """Whose each stretch of one channel is.

    Raises:
        RecordError: There are not two voices that can be told apart.
    """
    stretches = list(voiced(samples, hearing.new_detector()))
    if not stretches:
        raise RecordError("nobody says anything in it")
    guess = told_apart(samples, stretches, open_voices())
    if not guess.are_two:
        raise RecordError(
            "two voices cannot be told apart in its one channel: they are too much alike, they "
            f"talk at once, one of them says too little (each needs {LEAST_S:.0f} s of speech), or "
            "one person speaks. Record both sides in a channel of their own; "
            f"where it is one person, say whose words they are: `--agent-speaker '{_ONE[0]}'` or "
            f"`--user-speaker '{_ONE[0]}'`"
        )
    return guess


def _sureness(turns: Sequence[Turn], guess: ToldApart | None) -> dict[str, object]:
    """What a reader has to know of speakers that were guessed; turns count from 1."""
    if guess is None:
        return {}
    sure = [
        guess.probability(SpeechSegment(turn.sound.start_s, turn.sound.end_s))
        if turn.sound
        else 0.0
        for turn in turns
    ]
    unsure = [str(number) for number, each in enumerate(sure, start=1) if each < SURE_FROM]
    return {
        "speakers": "guessed by their voices",
        "speaker_probabilities": " ".join(f"{each:.2f}" for each in sure),
        "turns_of_unsure_speaker": " ".join(unsure),
    }


def _given(place: RecordPlace) -> set[str]:
    return {name.casefold() for name in (*place.agent_speakers, *place.user_speakers)}


def speakers_of(channels: int) -> tuple[str, ...]:
    """Return what the speakers of so many channels are called, for the roles that are asked for."""
    if channels == len(_TWO):
        return _TWO
    return tuple(f"channel {number}" for number in range(1, channels + 1))


def _check_roles(names: Sequence[str], place: RecordPlace) -> None:
    """Ask who the agent is before an hour of sound is heard for nothing."""
    if names == _ONE and _ONE[0] not in _given(place):
        raise RecordError(
            "it has one channel. Where two people share it, their voices can be told apart, which "
            "is a guess: say whether the agent is the one that speaks first, `--agent-speaker "
            f"'{_GUESSED[0]}'`, or the other, `--agent-speaker '{_GUESSED[1]}'`. Where only one "
            f"side speaks, say which: `--agent-speaker '{_ONE[0]}'` or `--user-speaker "
            f"'{_ONE[0]}'`"
        )
    try:
        roles_of(names, place.agent_speakers, place.user_speakers)
    except RecordError as error:
        listed = " and ".join(f"`{name}`" for name in names)
        raise RecordError(
            f"its channels are {listed}, and nobody said which is the agent's: "
            f"`--agent-speaker '{names[0]}'` or `--agent-speaker '{names[-1]}'`"
        ) from error


async def _heard(
    channels: Sequence[Samples], names: Sequence[str], hearing: Hearing
) -> tuple[list[_Said], Counter[str]]:
    found: list[_Said] = []
    left_out: Counter[str] = Counter()
    for number, samples in enumerate(channels):
        others = [each for at, each in enumerate(channels) if at != number]
        stretches = list(voiced(samples, hearing.new_detector()))
        own = [each for each in stretches if not _came_through(each, samples, others)]
        left_out[CROSSTALK] += len(stretches) - len(own)
        for utterance in joined(own):
            heard = await hearing.transcriber.transcribe(utterance.cut(samples))
            if heard.text:
                found.append(_Said(names[number], utterance, heard.text, heard.language))
    return sorted(found, key=lambda each: each.at.start_s), +left_out


def _came_through(utterance: SpeechSegment, own: Samples, others: Sequence[Samples]) -> bool:
    loudness = _loudness(utterance, own)
    return any(_loudness(utterance, other) > CROSSTALK_RATIO * loudness for other in others)


def _loudness(utterance: SpeechSegment, samples: Samples) -> float:
    cut = samples[
        round(utterance.start_s * SAMPLE_RATE_HZ) : round(utterance.end_s * SAMPLE_RATE_HZ)
    ].astype(np.float32)
    return float(np.sqrt((cut**2).mean())) if len(cut) else 0.0


def _with_sound(
    turns: Sequence[Turn], said: Sequence[_Said], place: RecordPlace
) -> tuple[Turn, ...]:
    """Turns with the place of each in the recording: from its first utterance to its last."""
    roles = roles_of([each.speaker for each in said], place.agent_speakers, place.user_speakers)
    rest = list(said)
    found: list[Turn] = []
    for turn in turns:
        own: list[_Said] = []
        while rest and roles[rest[0].speaker] == turn.role:
            own.append(rest.pop(0))
        sound = TurnSound(start_s=own[0].at.start_s, end_s=max(each.at.end_s for each in own))
        found.append(turn.model_copy(update={"sound": sound}))
    return tuple(found)


def _conversation(
    turns: Sequence[Turn], path: Path, *, agent_id: str, more: Mapping[str, object] | None = None
) -> Transcript:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return conversation_of(
        turns,
        source="recording",
        source_id=digest[:32],
        agent_id=agent_id,
        metadata={"file": path.name, **(more or {})},
    )
