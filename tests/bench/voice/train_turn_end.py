"""Fits how a turn's words and melody are weighed: `python -m tests.bench.voice.train_turn_end`.

Turns of the development halves that `train_turn_words` reads are spoken, whole and cut; with
`--prompts` the recordings of a telephone system join them. What came of it stands in
`conversation/voice/hearing/turn_words.md`; nothing is written, the three weights and the two bounds
are for `conversation/voice/turns/turn_end.py`.

    --turns 24          a part of the 140 turns, in a minute of one core
    --prompts FOLDER    usr/share of the unpacked Debian packages asterisk-core-sounds-en and
                        asterisk-core-sounds-en-wav
"""

import argparse
import asyncio
import gzip
import io
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.audio import resampled
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.hearing.smart_turn import SmartTurn
from conversation.voice.hearing.turn_words import turn_words
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, SpeechSynthesizer
from conversation.voice.speaking.open_speech import open_speech
from tests.bench.places import datasets
from tests.bench.voice.speech_data import read_sound
from tests.bench.voice.train_turn_words import (
    FOLDS,
    Example,
    UserTurn,
    cross_validated,
    examples_of,
    read_turns,
)
from tests.bench.voice.turn_ends import room

TURNS = 140
CUTS = 2
FLITE_VOICES = ("awb", "rms", "slt")
PROMPTS = 70
_LONGEST_PROMPT_S = 9.0
_QUESTION_WORDS = frozenset(
    (
        *("what", "how", "where", "when", "who", "which"),
        *("can", "do", "does", "is", "are", "could", "will"),
    )
)
_EDGE = 0.02
"""Of the loudest sample: where a clip begins and ends."""
_LEAST = 1e-3
_BOUNDS = (0.1, 0.2, 0.5, 0.6, 0.7, 0.78, 0.85)


@dataclass(frozen=True, slots=True)
class Judged:
    """A silence, what words and melody say of it, and whether the turn was over."""

    group: str
    """Dialogue or prompt: none is split between folds."""
    is_done: bool
    is_recorded: bool
    melody: float
    words: float


def main() -> None:
    """Speak, judge, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--prompts", type=Path)
    told = parser.parse_args()
    if shutil.which("flite") is None:
        sys.exit("flite speaks half of the turns: install it (Debian's package is called flite)")
    hearing = open_hearing(VoiceSection(), languages=("en",))
    rows = asyncio.run(_of_made(hearing, told.turns))
    if told.prompts is not None:
        rows += list(_of_prompts(hearing, told.prompts))
    _report(rows)


async def _of_made(hearing: Hearing, count: int) -> list[Judged]:
    melody = _melody(hearing)
    turns = read_turns(datasets())
    examples = examples_of(turns)
    likely = {
        (example.turn, example.words): float(probability)
        for example, probability in zip(examples, cross_validated(examples), strict=True)
    }
    chance = random.Random(7)
    joe = open_speech(VoiceSection(), language="en", runner=ModelRunner(1))
    rows: list[Judged] = []
    for number, turn in enumerate(_chosen(turns, count, chance)):
        whole = await _said(joe, number, _punctuated(turn))
        own = [each for each in examples if each.turn is turn]
        rows.append(_judged(turn, True, melody.judge(_and_room(whole)), likely[turn, turn.words]))
        cuts = [each for each in own if not each.is_done]
        for cut in chance.sample(cuts, min(CUTS, len(cuts))):
            for sound in (await _going_on(joe, number, cut), _cut_hard(whole, cut)):
                heard = melody.judge(_and_room(sound))
                rows.append(_judged(turn, False, heard, likely[turn, cut.words]))
    return rows


def _chosen(turns: Sequence[UserTurn], count: int, chance: random.Random) -> list[UserTurn]:
    """As many spoken turns as typed ones, none of them very long."""
    spoken = [turn for turn in turns if turn.is_spoken and 3 <= len(turn.words) <= 22]
    typed = [
        turn
        for turn in turns
        if not turn.is_spoken and 3 <= len(turn.words) <= 16 and " ".join(turn.words).isascii()
    ]
    return chance.sample(spoken, count // 2) + chance.sample(typed, count - count // 2)


def _judged(turn: UserTurn, is_done: bool, melody: float, words: float) -> Judged:
    return Judged(turn.dialogue, is_done, False, melody, words)


def _punctuated(turn: UserTurn) -> str:
    return " ".join(turn.words) + ("?" if turn.words[0] in _QUESTION_WORDS else ".")


async def _going_on(joe: SpeechSynthesizer, number: int, cut: Example) -> Samples:
    """The beginning, said as somebody who goes on."""
    return await _said(joe, number, " ".join(cut.words) + ",")


def _cut_hard(whole: Samples, cut: Example) -> Samples:
    """About the beginning, cut out of the fluent turn."""
    share = len(" ".join(cut.words)) / len(" ".join(cut.turn.words))
    return whole[: int(len(whole) * share)]


async def _said(joe: SpeechSynthesizer, number: int, text: str) -> Samples:
    """`text` by one of four voices, without the silence at its end."""
    if number % 2 == 0:
        made = [chunk.samples async for chunk in joe.speak(text, language="en")]
        sound, rate = np.concatenate(made), joe.sample_rate_hz
    else:
        sound, rate = _by_flite(text, FLITE_VOICES[number // 2 % len(FLITE_VOICES)])
    sound = resampled(sound, from_hz=rate, to_hz=SAMPLE_RATE_HZ)
    return sound[: _loud(sound)[-1] + 1]


def _by_flite(text: str, voice: str) -> tuple[Samples, int]:
    import soundfile

    command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    sound, rate = soundfile.read(io.BytesIO(spoken), dtype="int16")
    return np.asarray(sound, np.int16), rate


def _loud(sound: Samples) -> NDArray[np.intp]:
    level = np.abs(sound.astype(np.int32))
    return np.flatnonzero(level > level.max() * _EDGE)


def _and_room(sound: Samples) -> Samples:
    return np.concatenate((sound, room(0.2)))


def _melody(hearing: Hearing) -> SmartTurn:
    assert isinstance(hearing.turn_end, SmartTurn)
    return hearing.turn_end


def _of_prompts(hearing: Hearing, share: Path) -> Iterator[Judged]:
    """Recorded prompts, whole and cut behind two of their words."""
    from tests.bench.voice.hearing import _engine

    engine, melody = _engine(hearing), _melody(hearing)
    chance = random.Random(4)
    for name in chance.sample(_prompt_names(share), PROMPTS):
        path = share / "asterisk" / "sounds" / "en_US_f_Allison" / f"{name}.wav"
        if not path.is_file():
            continue
        sound = read_sound(path)
        loud = _loud(sound)
        sound = sound[max(0, loud[0] - SAMPLE_RATE_HZ // 10) : loud[-1] + 1]
        if len(sound) > _LONGEST_PROMPT_S * SAMPLE_RATE_HZ:
            continue
        heard = engine.transcribe(_and_room(sound), languages=("en",), with_times=True)
        ends = [len(heard.words)]
        if len(heard.words) >= 4:
            ends += chance.sample(range(2, len(heard.words)), 2)
        for end in ends:
            said = "".join(word.chars for word in heard.words[:end]).rstrip(".,?!")
            likely = turn_words().probability(said, language="en")
            if likely is None:
                continue
            is_done = end == len(heard.words)
            last = heard.words[end - 1]
            cut = len(sound) if is_done else int((last.start_s + last.duration_s) * SAMPLE_RATE_HZ)
            yield Judged(name, is_done, True, melody.judge(_and_room(sound[:cut])), likely)


def _prompt_names(share: Path) -> list[str]:
    listed = share / "doc" / "asterisk-core-sounds-en" / "core-sounds-en.txt.gz"
    found: set[str] = set()
    for line in gzip.decompress(listed.read_bytes()).decode().splitlines():
        name, colon, said = line.partition(":")
        words = said.split()
        if colon and len(words) >= 4 and said.strip()[0] not in "[<" and "..." not in said:
            found.add(name)
    return sorted(name for name in found if not name.startswith(";"))


def _report(rows: Sequence[Judged]) -> None:
    from sklearn.metrics import roc_auc_score

    done = np.array([row.is_done for row in rows])
    recorded = np.array([row.is_recorded for row in rows])
    features = np.log(_odds([(row.melody, row.words) for row in rows]))
    balance = np.where(recorded, max(1, (~recorded).sum()) / max(1, recorded.sum()), 1.0)
    likely = _five_fold(rows, features, done, balance)
    for name, chosen in (("made", ~recorded), ("recorded", recorded)):
        if not chosen.any():
            continue
        areas = [
            roc_auc_score(done[chosen], scores[chosen])
            for scores in (features[:, 0], features[:, 1], likely)
        ]
        print(
            f"{name}: {(chosen & done).sum()} whole, {(chosen & ~done).sum()} cut; AUC of melody "
            f"{areas[0]:.3f}, of words {areas[1]:.3f}, of both {areas[2]:.3f}"
        )
        for bound in _BOUNDS:
            ends = (likely[chosen & done] >= bound).mean()
            pauses = (likely[chosen & ~done] >= bound).mean()
            print(f"  at {bound:.2f}: {ends:.0%} of ends above, {pauses:.1%} of pauses")
    bias, (melody, words) = _fitted(features, done, balance)
    print(f"all of them: {bias:.2f} + {melody:.2f} melody + {words:.2f} words")


def _odds(pairs: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    kept = np.clip(np.asarray(pairs), _LEAST, 1 - _LEAST)
    return kept / (1 - kept)


def _five_fold(
    rows: Sequence[Judged],
    features: NDArray[np.float64],
    done: NDArray[np.bool_],
    balance: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Each probability by weights that were learnt from other dialogues and prompts."""
    names = sorted({row.group for row in rows})
    np.random.default_rng(0).shuffle(names)
    fold_of = {name: number % FOLDS for number, name in enumerate(names)}
    folds = np.array([fold_of[row.group] for row in rows])
    found = np.zeros(len(rows))
    for fold in range(FOLDS):
        inside = folds == fold
        bias, weights = _fitted(features[~inside], done[~inside], balance[~inside])
        found[inside] = 1 / (1 + np.exp(-(bias + features[inside] @ weights)))
    return found


def _fitted(
    features: NDArray[np.float64], done: NDArray[np.bool_], balance: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(class_weight="balanced").fit(features, done, sample_weight=balance)
    return float(np.asarray(model.intercept_)[0]), np.asarray(model.coef_)[0]


if __name__ == "__main__":
    main()
