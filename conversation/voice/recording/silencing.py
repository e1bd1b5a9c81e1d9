"""What nobody may hear of a recording: the spans in which masked words were said. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from conversation.transcript import Turn, TurnSound
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import AGENT, USER, Stereo

MARGIN_S = 0.15
"""Silenced on either side of a word: where it begins and ends is known to about a tenth."""
_SPEECH_MARGIN_S = 0.3
"""A turn is heard from a little before it was noticed."""

CharSpan = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SilentSpan:
    """Part of one channel that is to be silent."""

    channel: int
    start_s: float
    end_s: float | None
    """None for the end of the recording."""


def silent_spans(
    turns: Sequence[Turn], masked: Mapping[int, Sequence[CharSpan]]
) -> tuple[SilentSpan, ...]:
    """What has to be silent where the words of `masked` must not be heard.

    A turn of which it is not known when each word was said is silent as a whole. So is all that
    the user said outside of turns: nobody knows the words that are in it.

    Args:
        turns: All turns of the conversation, as they were said.
        masked: By position in `turns`, the characters [start, end) that are masked.
    """
    spans = [
        SilentSpan(_channel(turns[index]), start_s, end_s)
        for index, chars in masked.items()
        if (sound := turns[index].sound) is not None
        for start_s, end_s in _times(sound, chars)
    ]
    return tuple([*spans, *_outside_turns(turns)])


def silenced(sound: Stereo, spans: Iterable[SilentSpan]) -> Stereo:
    """`sound` with these spans silent; its length stays."""
    quiet = sound.copy()
    for span in spans:
        start = max(0, round(span.start_s * SAMPLE_RATE_HZ))
        end = None if span.end_s is None else max(0, round(span.end_s * SAMPLE_RATE_HZ))
        quiet[start:end, span.channel] = 0
    return quiet


def _channel(turn: Turn) -> int:
    return USER if turn.role == "user" else AGENT


def _times(sound: TurnSound, masked: Sequence[CharSpan]) -> Iterable[tuple[float, float]]:
    for start, end in masked:
        touched = [word for word in sound.words if word.start_char < end and start < word.end_char]
        if touched:
            yield (
                min(word.start_s for word in touched) - MARGIN_S,
                max(word.end_s for word in touched) + MARGIN_S,
            )
        else:
            yield sound.start_s - _SPEECH_MARGIN_S, sound.end_s + _SPEECH_MARGIN_S


def _outside_turns(turns: Sequence[Turn]) -> Iterable[SilentSpan]:
    heard = sorted(
        (turn.sound.start_s - _SPEECH_MARGIN_S, turn.sound.end_s + _SPEECH_MARGIN_S)
        for turn in turns
        if turn.role == "user" and turn.sound is not None
    )
    edges = [(0.0, 0.0), *heard]
    for (_, end_s), (start_s, _) in pairwise(edges):
        if start_s > end_s:
            yield SilentSpan(USER, end_s, start_s)
    yield SilentSpan(USER, max(end_s for _, end_s in edges), None)
