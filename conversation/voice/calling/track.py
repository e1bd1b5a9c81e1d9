"""The sound of one turn on its way from the synthesizer to the client."""

from collections import deque

import numpy as np

from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, TimedChars


class Track:
    """Sound that was made and not yet taken. Times are seconds of the turn's own sound."""

    def __init__(self) -> None:
        self._chunks: deque[Samples] = deque()
        self._chars: deque[TimedChars] = deque()
        self._made = 0
        self._taken = 0

    @property
    def made_s(self) -> float:
        """How much was made."""
        return self._made / SAMPLE_RATE_HZ

    @property
    def taken_s(self) -> float:
        """How much was taken."""
        return self._taken / SAMPLE_RATE_HZ

    @property
    def left(self) -> int:
        """Samples that wait."""
        return self._made - self._taken

    def add(self, samples: Samples) -> None:
        """More sound."""
        if len(samples):
            self._chunks.append(samples)
            self._made += len(samples)

    def add_chars(self, chars: TimedChars) -> None:
        """Characters that this sound says; `start_s` counts from the beginning of the turn."""
        self._chars.append(chars)

    def take(self, most: int) -> tuple[Samples, tuple[TimedChars, ...]]:
        """The next samples, and the characters that begin in them, timed from their beginning."""
        parts: list[Samples] = []
        needed = min(most, self.left)
        begins_s = self.taken_s
        while needed:
            chunk = self._chunks.popleft()
            if len(chunk) > needed:
                self._chunks.appendleft(chunk[needed:])
                chunk = chunk[:needed]
            parts.append(chunk)
            needed -= len(chunk)
            self._taken += len(chunk)
        said: list[TimedChars] = []
        while self._chars and self._chars[0].start_s < self.taken_s:
            each = self._chars.popleft()
            said.append(TimedChars(each.chars, each.start_s - begins_s, each.duration_s))
        return np.concatenate(parts or [np.zeros(0, np.int16)]), tuple(said)

    def clear(self) -> None:
        """What waits will not be taken."""
        self._chunks.clear()
        self._chars.clear()
        self._made = self._taken
