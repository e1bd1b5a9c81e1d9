"""Where somebody speaks in a finished recording, found as in a call. Pure but for the detector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conversation.voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples, VoiceDetector
from conversation.voice.turns.endpointing import FRAME_S, Endpointer, Paused, Resumed, Started

PAUSE_S = 0.7
"""Silence that ends an utterance; what goes on sooner is decoded together."""
LONGEST_S = 26.0
"""An utterance without such a pause is cut at its next shorter one after this."""
MARGIN_S = 0.2
"""Left before and after the voice: its first and last sounds are soft."""


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A stretch of voice, in seconds of the recording."""

    start_s: float
    end_s: float

    def cut(self, samples: Samples) -> Samples:
        """The sound of it, with its margins."""
        start = max(0, round((self.start_s - MARGIN_S) * SAMPLE_RATE_HZ))
        return samples[start : round((self.end_s + MARGIN_S) * SAMPLE_RATE_HZ)]


def joined(stretches: Iterable[SpeechSegment]) -> Iterator[SpeechSegment]:
    """Put together what only a short pause divides, as long as it is not too long."""
    last: SpeechSegment | None = None
    for each in stretches:
        if last is None:
            last = each
        elif each.start_s - last.end_s < PAUSE_S and each.end_s - last.start_s < LONGEST_S:
            last = SpeechSegment(last.start_s, each.end_s)
        else:
            yield last
            last = each
    if last is not None:
        yield last


def voiced(samples: Samples, detector: VoiceDetector) -> Iterator[SpeechSegment]:
    """Yield where a voice is heard, between any two pauses; `joined` makes utterances of it."""
    endpointer = Endpointer()
    start_s: float | None = None
    for at in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        likely = detector.probability(samples[at : at + FRAME_SAMPLES])
        endpointer, event = endpointer.heard(likely, at_s=at / SAMPLE_RATE_HZ)
        if isinstance(event, Started | Resumed):
            start_s = event.at_s
        elif isinstance(event, Paused) and start_s is not None:
            yield SpeechSegment(start_s, max(event.at_s, start_s + FRAME_S))
            start_s = None
    if start_s is not None:
        yield SpeechSegment(start_s, len(samples) / SAMPLE_RATE_HZ)
