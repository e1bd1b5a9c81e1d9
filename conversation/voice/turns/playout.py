"""What the user has heard: sound that was sent, and when it plays. Pure, over an injected clock.

A client plays what it gets in order and without a break, so that the sound that was sent last is
the one that is not heard yet.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator


class Playout:
    """The sound of one turn at the client."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, float]] = deque()
        """When a frame plays, and how long, of those that may not be over."""
        self._played: list[tuple[float, float]] = []
        """Where each frame begins in the turn's sound, and when it plays."""
        self._sent_s = 0.0
        self._heard_s = 0.0
        self._cut_s: float | None = None
        self.first_audible_s: float | None = None
        """When the first sound of the turn plays."""
        self.plays_until_s = float("-inf")

    def sent(self, duration_s: float, *, now_s: float) -> float:
        """Sound went out that lasts `duration_s`; returns when it begins to play."""
        begins_s = max(now_s, self.plays_until_s)
        self.plays_until_s = begins_s + duration_s
        self._waiting.append((begins_s, duration_s))
        self._played.append((self._sent_s, begins_s))
        self._sent_s += duration_s
        if self.first_audible_s is None:
            self.first_audible_s = begins_s
        return begins_s

    def ahead_s(self, now_s: float) -> float:
        """How much sound the client still holds."""
        return max(0.0, self.plays_until_s - now_s)

    def heard_s(self, now_s: float) -> float:
        """How much of the turn's sound was heard; it only grows."""
        now_s = now_s if self._cut_s is None else min(now_s, self._cut_s)
        while self._waiting and sum(self._waiting[0]) <= now_s:
            self._heard_s += self._waiting.popleft()[1]
        if not self._waiting:
            return self._heard_s
        begins_s, duration_s = self._waiting[0]
        return self._heard_s + min(duration_s, max(0.0, now_s - begins_s))

    def played_at_s(self, sound_s: float) -> float | None:
        """When a place in the turn's sound plays; None when it does not, or was cut."""
        place = bisect_right(self._played, (sound_s, float("inf")))
        if not place or sound_s > self._sent_s + 1e-6:
            return None
        begins_s, plays_s = self._played[place - 1]
        moment_s = plays_s + sound_s - begins_s
        is_cut = self._cut_s is not None and moment_s > self._cut_s + 1e-6
        return None if is_cut else moment_s

    def cut(self, now_s: float) -> float:
        """The client drops what it has not played; returns what was heard until then."""
        self._cut_s = now_s if self._cut_s is None else min(now_s, self._cut_s)
        self.plays_until_s = min(self.plays_until_s, self._cut_s)
        return self.heard_s(now_s)


class HeardText:
    """Which characters of a text its sound has reached: a word counts when it was said to its end.

    Where the synthesizer tells no times, a clause is taken to be said evenly.
    """

    def __init__(self) -> None:
        self._ends_s: list[float] = []
        self._chars: list[int] = []

    def reaches(self, end_s: float, *, chars: int) -> None:
        """At `end_s` of the turn's sound, `chars` characters of its text have been said."""
        if self._ends_s:
            end_s, chars = max(end_s, self._ends_s[-1]), max(chars, self._chars[-1])
        self._ends_s.append(end_s)
        self._chars.append(chars)

    def words(self) -> Iterator[tuple[int, int, float, float]]:
        """Start and end of each word, in the text and in the turn's sound.

        Several words that became one, or one that became several, are told as one.
        """
        chars, begins_s = 0, 0.0
        for end_s, end_chars in zip(self._ends_s, self._chars, strict=True):
            if end_chars > chars:
                yield chars, end_chars, begins_s, end_s
            chars, begins_s = end_chars, end_s

    def chars_at(self, heard_s: float) -> int:
        """How much of the text was said after so much of the sound."""
        place = bisect_right(self._ends_s, heard_s + 1e-6)
        return self._chars[place - 1] if place else 0
