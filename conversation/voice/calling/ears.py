"""The user's sound: cut into frames on the time of the call, and kept while a turn is open."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from conversation.transcript import TimedWord
from conversation.voice.calling.call_time import CallTime
from conversation.voice.ports import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    CallRecorder,
    Samples,
    Transcription,
    VoiceDetector,
)
from conversation.voice.turns.endpointing import FRAME_S

BEFORE_S = 0.3
"""Kept from before the voice was found: first consonants are quiet."""
AFTER_S = 0.2
"""Of room tone after the voice: what Smart Turn was trained to hear, and Whisper needs."""
SOFT_VOICE = 0.15
"""Of noise, hum and clicks Silero says half as much at most; of a soft first sound more."""
GAP_S = 0.3
"""A client may be late by so much; when nothing came for longer, there was silence."""
_FORGET_AFTER_S = 1.0
_GAP_EDGE_S = 0.12
"""Of a pause within a turn: transcribers end a sentence at a longer one, and begin another."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a detector judges at once."""

    samples: Samples
    at_s: float
    """Where it begins in the call."""
    probability: float

    @property
    def level(self) -> float:
        """How loud it is: the root mean square of its samples."""
        samples = self.samples.astype(np.float32)
        return math.sqrt(float(np.dot(samples, samples)) / max(1, len(samples)))


@dataclass(slots=True)
class Utterance:
    """The sound of a user's turn so far."""

    began_s: float
    """Where the voice began."""
    ended_s: float | None = None
    """Where it fell silent; None while it speaks."""
    frames: list[Frame] = field(default_factory=list[Frame])
    words_before: str = ""
    """Of a beginning that is so long that its sound was let go."""
    timed_before: tuple[TimedWord, ...] = ()

    def add(self, frame: Frame) -> None:
        """One more frame; silence that lasts is not kept."""
        if self.ended_s is None or frame.at_s < self.ended_s + AFTER_S + BEFORE_S:
            self.frames.append(frame)

    def sound(self) -> Samples:
        """All of it, up to a moment after the voice."""
        until_s = float("inf") if self.ended_s is None else self.ended_s + AFTER_S
        parts = [frame.samples for frame in self.frames if frame.at_s < until_s]
        return np.concatenate(parts or [np.zeros(0, np.int16)])

    @property
    def sound_s(self) -> float:
        """How long its kept sound is."""
        return len(self.frames) * FRAME_S

    def go_on(self, at_s: float) -> None:
        """The voice is back from `at_s` on: of the silence between, only its edges stay."""
        if self.ended_s is not None:
            low_s, high_s = self.ended_s + _GAP_EDGE_S, at_s - _GAP_EDGE_S
            self.frames = [each for each in self.frames if not low_s < each.at_s < high_s]
        self.ended_s = None

    def moment_s(self, sound_s: float) -> float:
        """When a place in the kept sound was heard."""
        if not self.frames:
            return self.began_s
        place = min(int(sound_s / FRAME_S), len(self.frames) - 1)
        return self.frames[place].at_s + sound_s - place * FRAME_S

    def timed_words(self, heard: Transcription) -> tuple[TimedWord, ...]:
        """When each word of the whole turn was said; empty where that is not known of all."""
        if not heard.words or (self.words_before and not self.timed_before):
            return ()
        before = len(self.words_before) + 1 if self.words_before else 0
        place = before - (len(heard.text) - len(heard.text.lstrip()))
        timed: list[TimedWord] = list(self.timed_before)
        for said in heard.words:
            word = said.chars.strip()
            start = place + len(said.chars) - len(said.chars.lstrip())
            place += len(said.chars)
            if word:
                timed.append(
                    TimedWord(
                        start_char=start,
                        end_char=start + len(word),
                        start_s=self.moment_s(said.start_s),
                        end_s=self.moment_s(said.start_s + said.duration_s),
                    )
                )
        return tuple(timed)

    def let_go(self, words: str, timed: tuple[TimedWord, ...]) -> None:
        """The words so far are known, and too long to be heard again with every pause."""
        self.words_before, self.timed_before = words, timed
        self.frames = self.frames[-round(BEFORE_S / FRAME_S) :]


class Ears:
    """Takes samples of any length; gives frames, each with how likely it holds a voice."""

    def __init__(
        self, detector: VoiceDetector, *, time: CallTime, recorder: CallRecorder | None
    ) -> None:
        self._detector = detector
        self._time = time
        self._recorder = recorder
        self._rest: Samples = np.zeros(0, np.int16)
        self._position_s = 0.0
        self.before: deque[Frame] = deque(maxlen=round(BEFORE_S / FRAME_S))
        """The last frames, for an utterance that begins."""

    @property
    def position_s(self) -> float:
        """Until where the user was heard."""
        return self._position_s + len(self._rest) / SAMPLE_RATE_HZ

    def onset_s(self, since_s: float) -> float:
        """When a voice began to be heard that is certain since a moment: it may begin softly."""
        for frame in reversed(self.before):
            if frame.at_s < since_s and frame.probability < SOFT_VOICE:
                break
            since_s = min(since_s, frame.at_s)
        return since_s

    def hear(self, samples: Samples) -> Iterator[Frame]:
        """The frames that are complete with `samples`, which have just come in."""
        missing_s = self._time.now_s - len(samples) / SAMPLE_RATE_HZ - self.position_s
        if missing_s > (GAP_S if self.position_s else 0.0):
            self._skip(missing_s)
        if self._recorder is not None:
            self._recorder.heard(samples, self.position_s)
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= FRAME_SAMPLES:
            frame, self._rest = self._rest[:FRAME_SAMPLES], self._rest[FRAME_SAMPLES:]
            yield self._judged(frame, self._detector.probability(frame))

    def silence(self) -> Iterator[Frame]:
        """Frames of silence up to the time of the call: the client sends nothing."""
        self._detector.reset()
        self._rest = np.zeros(0, np.int16)
        while self._position_s + FRAME_S <= self._time.now_s:
            yield self._judged(np.zeros(FRAME_SAMPLES, np.int16), 0.0)

    def _skip(self, missing_s: float) -> None:
        self._position_s = self.position_s + missing_s
        self._rest = np.zeros(0, np.int16)
        if missing_s > _FORGET_AFTER_S:
            self._detector.reset()
            self.before.clear()

    def _judged(self, samples: Samples, probability: float) -> Frame:
        frame = Frame(samples, self._position_s, probability)
        self._position_s += FRAME_S
        self.before.append(frame)
        return frame
