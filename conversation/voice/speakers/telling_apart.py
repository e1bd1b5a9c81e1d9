"""One channel with two voices -> whose each stretch is, and how sure that is. Pure.

Windows of 1.6 s are looked at; their vectors fall into two directions, one for each speaker. Which
of the two is the agent cannot be heard: somebody has to say it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from conversation.voice.hearing.utterances import SpeechSegment
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

Voices = Callable[[list[Samples]], NDArray[np.float32]]
"""Windows -> one vector of length one for each."""

WINDOW_S, STEP_S = 1.6, 0.4
LONG_S = 1.0
"""Of a window from which a voice is learnt; shorter ones are only compared."""
SAME_VOICE = 0.85
"""Cosine of two directions from which they may be one speaker's."""
MOST_UNSURE = 0.15
"""Of the time in which somebody speaks; above, one speaker's words may have been parted in two, or
two speakers are too much alike."""
LEAST_S = 6.0
"""Of speech of each voice. Two sentences of one person may sound further apart than two people."""
SURE_FROM = 0.9
"""Probability below which a stretch may well be the other voice's."""
_STEEPNESS, _MIDDLE = 40.0, 0.02
"""Of the curve from a margin to a probability; measured on pairs of made voices."""
_FADE_S = 0.2
"""Kept on both sides of a stretch, or half of the silence that there is."""
_SWITCH_COST = 0.25
_ROUNDS = 20
_SEEDS = 6
_QUIET_S = 0.1


@dataclass(frozen=True, slots=True)
class VoicedPart:
    """A stretch of one voice."""

    at: SpeechSegment
    voice: int
    """0 for the one that speaks first, 1 for the other."""
    margin: float
    """By how much it is closer to this voice than to the other, as a cosine."""

    @property
    def probability(self) -> float:
        """How likely it is this voice's, 0 to 1."""
        return float(1 / (1 + np.exp(-_STEEPNESS * (self.margin - _MIDDLE))))

    @property
    def lasts_s(self) -> float:
        """How long it is."""
        return self.at.end_s - self.at.start_s


@dataclass(frozen=True, slots=True)
class ToldApart:
    """Two voices of one channel."""

    parts: tuple[VoicedPart, ...]
    likeness: float
    """Cosine of the two voices; from `SAME_VOICE` on they may be one."""

    @property
    def are_two(self) -> bool:
        """Whether there are two voices at all."""
        return (
            self.likeness < SAME_VOICE
            and self.unsure_share <= MOST_UNSURE
            and min(self.seconds_of(0), self.seconds_of(1)) >= LEAST_S
        )

    def seconds_of(self, voice: int) -> float:
        """How long a voice speaks."""
        return sum(each.lasts_s for each in self.parts if each.voice == voice)

    @property
    def unsure_share(self) -> float:
        """Of the time in which somebody speaks, the share of which it is not sure who does."""
        all_s = sum(each.lasts_s for each in self.parts)
        unsure_s = sum(each.lasts_s for each in self.parts if each.probability < SURE_FROM)
        return unsure_s / all_s if all_s else 1.0

    def probability(self, at: SpeechSegment) -> float:
        """How likely the words of a stretch are the voice's to whom they were given."""
        shares = [
            (max(0.0, min(at.end_s, each.at.end_s) - max(at.start_s, each.at.start_s)), each)
            for each in self.parts
        ]
        seconds = sum(share_s for share_s, _ in shares)
        if not seconds:
            return 0.0
        return sum(share_s * each.probability for share_s, each in shares) / seconds

    def channels(self, samples: Samples) -> tuple[Samples, Samples]:
        """The sound of each voice in a channel of its own, with silence where it does not speak."""
        found = (np.zeros_like(samples), np.zeros_like(samples))
        for number, each in enumerate(self.parts):
            before_s = self.parts[number - 1].at.end_s if number else 0.0
            is_last = number + 1 == len(self.parts)
            after_s = np.inf if is_last else self.parts[number + 1].at.start_s
            start_s = each.at.start_s - min(_FADE_S, (each.at.start_s - before_s) / 2)
            end_s = each.at.end_s + min(_FADE_S, (after_s - each.at.end_s) / 2)
            begin, end = (max(0, round(at_s * SAMPLE_RATE_HZ)) for at_s in (start_s, end_s))
            found[each.voice][begin:end] = samples[begin:end]
        return found


@dataclass(frozen=True, slots=True)
class _Window:
    stretch: int
    start_s: float
    end_s: float

    @property
    def middle_s(self) -> float:
        return (self.start_s + self.end_s) / 2


def told_apart(samples: Samples, stretches: Sequence[SpeechSegment], voices: Voices) -> ToldApart:
    """Return whose each stretch is. A stretch in which the voice changes is cut there.

    Args:
        samples: Of the channel.
        stretches: Where a voice is heard, in order.
        voices: The encoder.
    """
    windows = [window for n, each in enumerate(stretches) for window in _windows(n, each)]
    vectors = voices([_cut(samples, each.start_s, each.end_s) for each in windows])
    is_long = np.array([each.end_s - each.start_s >= LONG_S for each in windows], dtype=bool)
    if is_long.sum() < 2:  # words of a second tell nothing about whose they are
        return ToldApart(tuple(VoicedPart(each, 0, 0.0) for each in stretches), 1.0)
    first, second = _directions(vectors[is_long])
    margins = np.asarray(vectors @ (first - second), np.float32)
    parts: list[VoicedPart] = []
    for number, stretch in enumerate(stretches):
        inside = [n for n, window in enumerate(windows) if window.stretch == number]
        parts += _parts(samples, stretch, [windows[n] for n in inside], margins[inside])
    if parts and parts[0].voice == 1:
        parts = [VoicedPart(each.at, 1 - each.voice, each.margin) for each in parts]
    return ToldApart(tuple(parts), float(first @ second))


def _windows(number: int, stretch: SpeechSegment) -> list[_Window]:
    length_s = stretch.end_s - stretch.start_s
    if length_s <= WINDOW_S:
        return [_Window(number, stretch.start_s, stretch.end_s)]
    count = 1 + int(np.ceil((length_s - WINDOW_S) / STEP_S))
    starts = np.linspace(stretch.start_s, stretch.end_s - WINDOW_S, count)
    return [_Window(number, float(each), float(each) + WINDOW_S) for each in starts]


def _directions(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The two that are closest to the vectors (k-means on a sphere), from several beginnings."""
    best_score, best = -np.inf, (vectors[0], vectors[0])
    for seed in np.linspace(0, len(vectors) - 1, min(_SEEDS, len(vectors))).astype(int):
        first = vectors[seed]
        second = vectors[int((vectors @ first).argmin())]
        for _ in range(_ROUNDS):
            is_first = vectors @ first >= vectors @ second
            if is_first.all() or not is_first.any():
                break
            first, second = _mean(vectors[is_first]), _mean(vectors[~is_first])
        score = float(np.maximum(vectors @ first, vectors @ second).sum())
        if score > best_score:
            best_score, best = score, (first, second)
    return best


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    total = vectors.sum(axis=0)
    return total / np.linalg.norm(total)


def _parts(
    samples: Samples,
    stretch: SpeechSegment,
    windows: Sequence[_Window],
    margins: NDArray[np.float32],
) -> list[VoicedPart]:
    """A stretch, cut where another voice takes over."""
    voices = _likeliest(margins)
    found: list[VoicedPart] = []
    start_s, begin = stretch.start_s, 0
    for n in range(1, len(windows) + 1):
        if n < len(windows) and voices[n] == voices[n - 1]:
            continue
        end_s = stretch.end_s
        if n < len(windows):
            between_s = (windows[n - 1].middle_s + windows[n].middle_s) / 2
            end_s = _quietest_s(samples, between_s, within=(start_s, stretch.end_s))
        sign = 1 - 2 * int(voices[begin])
        margin = float(sign * margins[begin:n].mean())
        found.append(VoicedPart(SpeechSegment(start_s, end_s), int(voices[begin]), margin))
        start_s, begin = end_s, n
    return found


def _likeliest(margins: NDArray[np.float32]) -> list[int]:
    """The voice of each window, where a change has to pay (Viterbi)."""
    costs = np.zeros(2)
    came_from: list[tuple[int, int]] = []
    for margin in margins:
        stays_or_comes = [
            (costs[voice], voice)
            if costs[voice] <= costs[1 - voice] + _SWITCH_COST
            else (costs[1 - voice] + _SWITCH_COST, 1 - voice)
            for voice in (0, 1)
        ]
        came_from.append((stays_or_comes[0][1], stays_or_comes[1][1]))
        costs = np.array([stays_or_comes[0][0] - margin, stays_or_comes[1][0] + margin])
    voice = int(costs.argmin())
    found = [voice]
    for before in reversed(came_from[1:]):
        voice = before[voice]
        found.append(voice)
    return found[::-1]


def _quietest_s(samples: Samples, moment_s: float, *, within: tuple[float, float]) -> float:
    """The quietest tenth of a second near a moment."""
    low_s, high_s = max(within[0], moment_s - WINDOW_S / 2), min(within[1], moment_s + WINDOW_S / 2)
    step = int(_QUIET_S * SAMPLE_RATE_HZ)
    sound = _cut(samples, low_s, high_s).astype(np.float32)
    steps = sound[: len(sound) // step * step].reshape(-1, step)
    if not len(steps):
        return moment_s
    return low_s + (int((steps**2).sum(axis=1).argmin()) + 0.5) * _QUIET_S


def _cut(samples: Samples, start_s: float, end_s: float) -> Samples:
    return samples[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
