"""Speakers: two voices in one channel, told apart by their sound.

Calls are put together of stretches of two speakers in turns, so that it is known who speaks when.
Run by `python -m tests.bench.voice speakers`.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.hearing.utterances import voiced
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.speakers.open_voices import open_voices
from conversation.voice.speakers.telling_apart import (
    SURE_FROM,
    ToldApart,
    VoicedPart,
    Voices,
    told_apart,
)
from tests.bench.figures import Figure, record
from tests.bench.voice.hearing import telephone
from tests.bench.voice.made_speech import USERS, backchannels, interruptions, make_all, questions
from tests.bench.voice.speech_data import known_clips, readings
from tests.bench.voice.turn_ends import room

TURNS = 16
LONGEST_S = 6.0
LEAST_KNOWN_S = 5.0
BETWEEN_S = (0.2, 0.9)
"""Silence between two turns."""


@dataclass(frozen=True, slots=True)
class MixedCall:
    """A call on one channel, and who speaks when."""

    name: str
    samples: Samples
    turns: tuple[tuple[float, float, int], ...]
    """Start and end in seconds, and 0 for the one that speaks first."""


@dataclass(slots=True)
class Tally:
    """Seconds of speech of all calls."""

    right_s: float = 0.0
    wrong_s: float = 0.0
    wrong_but_sure_s: float = 0.0
    unsure_s: float = 0.0
    refused: int = 0
    calls: int = 0

    @property
    def all_s(self) -> float:
        """Of the calls that were taken."""
        return self.right_s + self.wrong_s


def main() -> None:
    """Measure and print."""
    make_all()
    hearing = open_hearing(VoiceSection(), languages=("en",))
    voices = open_voices()
    for name, speakers in (("made", made_speakers()), ("read", reading_speakers(hearing))):
        started = time.process_time()
        calls = [mixed(pair, speakers, seed) for seed in (0, 1) for pair in pairs(speakers)]
        calls += [
            MixedCall(f"{each.name}, telephone", telephone(each.samples), each.turns)
            for each in calls[: len(calls) // 2]
        ]
        tally = counted(calls, hearing, voices)
        spent_s = time.process_time() - started
        seconds = sum(len(each.samples) for each in calls) / SAMPLE_RATE_HZ
        alone = sum(are_taken_for_two(speakers[each], hearing, voices) for each in speakers)
        wrong, sure = (
            each_s / max(1e-9, tally.all_s) for each_s in (tally.wrong_s, tally.wrong_but_sure_s)
        )
        print(
            f"{name}: {wrong:.1%} of {tally.all_s:.0f} s of speech given to the other voice, "
            f"{sure:.1%} though it was called sure; {tally.refused} of {tally.calls} calls refused;"
            f" {alone} of {len(speakers)} single speakers taken for two; {spent_s / seconds:.3f} s "
            "of one core for each second"
        )
        figures = [
            Figure(f"voice/speech given to the other voice, {name}", wrong, tally.calls),
            Figure(f"voice/the same though sure, {name}", sure, tally.calls),
            Figure(f"voice/calls of one channel refused, {name}", tally.refused, tally.calls),
        ]
        record("voice", figures)


def made_speakers() -> dict[str, list[Samples]]:
    """Kokoro's voices with all that they say to this bench."""
    clips = [*questions(), *interruptions(), *backchannels()]
    return {user: [clip.samples for clip in clips if clip.name.startswith(user)] for user in USERS}


def reading_speakers(hearing: Hearing) -> dict[str, list[Samples]]:
    """People who read aloud; a play with two speakers is left out."""
    found: dict[str, list[Samples]] = {}
    for clip in (*readings(), *known_clips()):
        if clip.name.startswith("endgame"):
            continue
        reader = clip.name.partition("_")[0].partition(".")[0]
        stretches = voiced(clip.samples, hearing.new_detector())
        found.setdefault(reader, []).extend(each.cut(clip.samples) for each in stretches)
    # Put together again and again, a few sentences are no speaker.
    return {
        name: said
        for name, said in found.items()
        if sum(map(len, said)) >= LEAST_KNOWN_S * SAMPLE_RATE_HZ
    }


def pairs(speakers: Mapping[str, Sequence[Samples]]) -> list[tuple[str, str]]:
    """Each with each."""
    return list(combinations(speakers, 2))


def mixed(pair: tuple[str, str], speakers: Mapping[str, Sequence[Samples]], seed: int) -> MixedCall:
    """A call of `TURNS` turns, with pauses in between, of one or two stretches each."""
    chance = random.Random(f"{pair} {seed}")
    left = {name: chance.sample(list(speakers[name]), len(speakers[name])) for name in pair}
    sound: list[Samples] = [room(0.5)]
    turns: list[tuple[float, float, int]] = []
    at = len(sound[0])
    for number in range(TURNS):
        name = pair[number % 2]
        for _ in range(chance.choice((1, 1, 2))):
            if not left[name]:
                left[name] = list(speakers[name])
            said = left[name].pop()[: int(LONGEST_S * SAMPLE_RATE_HZ)]
            pause = room(chance.uniform(*BETWEEN_S))
            sound += [said, pause]
            turns.append((at / SAMPLE_RATE_HZ, (at + len(said)) / SAMPLE_RATE_HZ, number % 2))
            at += len(said) + len(pause)
    return MixedCall(" and ".join(pair), np.concatenate(sound), tuple(turns))


def counted(calls: Sequence[MixedCall], hearing: Hearing, voices: Voices) -> Tally:
    """How much speech goes to whom."""
    tally = Tally(calls=len(calls))
    for call in calls:
        guess = _guess(call.samples, hearing, voices)
        if not guess.are_two:
            tally.refused += 1
            continue
        for part in guess.parts:
            right_s = overlap_s(part, call, part.voice)
            wrong_s = overlap_s(part, call, 1 - part.voice)
            tally.right_s += right_s
            tally.wrong_s += wrong_s
            if part.probability >= SURE_FROM:
                tally.wrong_but_sure_s += wrong_s
            else:
                tally.unsure_s += right_s + wrong_s
    return tally


def are_taken_for_two(said: Sequence[Samples], hearing: Hearing, voices: Voices) -> bool:
    """Whether one speaker alone is taken for two."""
    samples = np.concatenate([each for said_ in said[:24] for each in (said_, room(0.4))])
    return _guess(samples, hearing, voices).are_two


def overlap_s(part: VoicedPart, call: MixedCall, voice: int) -> float:
    """Seconds of a part in which a speaker speaks."""
    return sum(
        max(0.0, min(end_s, part.at.end_s) - max(start_s, part.at.start_s))
        for start_s, end_s, its in call.turns
        if its == voice
    )


def _guess(samples: Samples, hearing: Hearing, voices: Voices) -> ToldApart:
    return told_apart(samples, list(voiced(samples, hearing.new_detector())), voices)


if __name__ == "__main__":
    main()
