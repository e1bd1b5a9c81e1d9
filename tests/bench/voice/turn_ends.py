"""Turns: how many are cut while their speaker pauses, and how long finished ones are waited for.

Pauses are those that readers make in mid-sentence, and words of made questions with a silence put
behind them, and beginnings of sentences that are said as such; a reader's sentence is over where
Whisper, that hears all of it, ends it with a full stop. The thresholds were chosen elsewhere;
nothing is fitted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.calling.agent_turn import REACTION_S
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.hearing.utterances import MARGIN_S, voiced
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, Transcription
from conversation.voice.turns.turn_end import DICTATED_S, is_dictating, seconds_to_wait
from tests.bench.figures import Figure, record
from tests.bench.voice.cpu_time import CpuTimedRunner, run_on_cpu_time
from tests.bench.voice.held_calls import ROOM
from tests.bench.voice.made_speech import make_all, questions, unfinished
from tests.bench.voice.speech_data import (
    Clip,
    further_clips,
    known_clips,
    readings,
    voice_ends_s,
)

PAUSES_S = (0.3, 0.5, 0.7)
"""As long as people pause while they think of a word."""
ANSWERS_IN_S = 0.3
"""From the decision to the first sound of an answer, as `calls` measures it. Who goes on before
has heard nothing, and the answer is taken back: their words are one turn."""
LONGEST_PAUSE_S = 1.0
_CLOSING = (".", "?", "!", ":", ";")


@dataclass(frozen=True, slots=True)
class Moment:
    """A silence, and what was said before it."""

    name: str
    said: Samples
    pause_s: float | None
    """None where the speaker is done."""


def main() -> None:
    """Measure and print."""
    make_all()
    # A stopwatch would give up models that a busy machine makes slow.
    hearing = open_hearing(VoiceSection(), languages=("en",), runner=CpuTimedRunner())
    pauses = [
        *run_on_cpu_time(_of_readers(hearing)),
        *run_on_cpu_time(_put_in(hearing)),
        *_left_open(),
    ]
    ends = [Moment(clip.name, clip.samples, None) for clip in _finished()]
    waits = run_on_cpu_time(_waits(hearing, [*pauses, *ends]))
    for kind in ("read", "made", "unfinished"):
        chosen = [n for n, each in enumerate(pauses) if each.name.startswith(kind)]
        over, cut = (
            sum(waits[n] + heard_s < (pauses[n].pause_s or 0) for n in chosen) / len(chosen)
            for heard_s in (0.0, ANSWERS_IN_S + REACTION_S)
        )
        print(
            f"pauses, {kind}: {cut:.1%} of {len(chosen)} turns are cut by an answer that is heard; "
            f"{over:.1%} are taken for over, most of them amended without a sound"
        )
        figures = [
            Figure(f"voice/turns cut, {kind}", cut, len(chosen)),
            Figure(f"voice/turns taken for over, {kind}", over, len(chosen)),
        ]
        record("voice", figures)
    done = waits[len(pauses) :]
    free = [wait_s for wait_s in done if wait_s != DICTATED_S]
    asked = done[-len(questions()) :]
    print(f"questions alone: p50 {np.percentile(asked, 50):.2f} s (n={len(asked)})")
    print(f"without numbers read out: p95 {np.percentile(free, 95):.2f} s (n={len(free)})")
    p50, p95 = (float(np.percentile(done, q)) for q in (50, 95))
    print(f"finished turns: silence waited for p50 {p50:.2f} s, p95 {p95:.2f} s (n={len(done)})")
    record(
        "voice",
        [
            Figure("voice/wait on finished turns p50 s", p50, len(done)),
            Figure("voice/wait on finished turns p95 s", p95, len(done)),
        ],
    )


def _finished() -> list[Clip]:
    return [*known_clips(), *further_clips(), *questions()]


async def _of_readers(hearing: Hearing) -> list[Moment]:
    found: list[Moment] = []
    for clip in readings():
        heard = await hearing.transcriber.transcribe(clip.samples, language="en")
        stretches = list(voiced(clip.samples, hearing.new_detector()))
        begins_s = 0.0
        for before, after in pairwise(stretches):
            pause_s = after.start_s - before.end_s
            if _is_closed(heard, before.end_s) or pause_s > LONGEST_PAUSE_S:
                begins_s = after.start_s
                continue
            said = clip.samples[
                int(max(0, begins_s - MARGIN_S) * SAMPLE_RATE_HZ) : int(
                    (before.end_s + 0.2) * SAMPLE_RATE_HZ
                )
            ]
            found.append(Moment(f"read {clip.name} {before.end_s:.1f}", said, pause_s))
    return found


async def _put_in(hearing: Hearing) -> list[Moment]:
    found: list[Moment] = []
    for number, clip in enumerate(questions()):
        heard = await hearing.transcriber.transcribe(clip.samples, language="en")
        for place, word in enumerate(heard.words[1:-1]):
            end = int((word.start_s + word.duration_s) * SAMPLE_RATE_HZ)
            pause_s = PAUSES_S[(number + place) % len(PAUSES_S)]
            said = np.concatenate((clip.samples[:end], room(0.2)))
            found.append(Moment(f"made {clip.name} {place}", said, pause_s))
    return found


def _left_open() -> list[Moment]:
    """Beginnings that are said as such, unlike words that are cut out of a fluent sentence."""
    found: list[Moment] = []
    for number, clip in enumerate(unfinished()):
        end = int(voice_ends_s(clip) * SAMPLE_RATE_HZ)
        said = np.concatenate((clip.samples[:end], room(0.2)))
        pause_s = PAUSES_S[number % len(PAUSES_S)]
        found.append(Moment(f"unfinished {clip.name}", said, pause_s))
    return found


def _is_closed(heard: Transcription, at_s: float) -> bool:
    """Whether a sentence ends with the last word before a moment."""
    before = [word for word in heard.words if word.start_s < at_s]
    return not before or before[-1].chars.rstrip('"\u201d').endswith(_CLOSING)


async def _waits(hearing: Hearing, moments: Sequence[Moment]) -> list[float]:
    found: list[float] = []
    for each in moments:
        heard = await hearing.transcriber.transcribe(each.said, language="en")
        wait_s = seconds_to_wait(
            audio=await hearing.turn_end.probability(each.said),
            text=hearing.turn_words.probability(heard.text, language="en"),
            is_dictating=is_dictating(heard.text, "en"),
        )
        found.append(wait_s)
    return found


def room(seconds: float) -> Samples:
    """The sound of a quiet room."""
    noise = np.random.default_rng(5).normal(0, ROOM, int(seconds * SAMPLE_RATE_HZ))
    return noise.astype(np.int16)


if __name__ == "__main__":
    main()
