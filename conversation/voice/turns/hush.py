"""Nothing is sent while a voice may be beginning. Pure, over audio time.

Whether it is one is known a sixth of a second after it began. Until then the client plays what it
has: a pause so short in what is sent is never heard, and when it was one, that much less has to be
taken back. Two of these run in a call: one for what may be a voice, and one for any sound that
stands out, which is sooner. Where no frame was a voice, neither lasts longer than what the client
still has to play.
"""

from dataclasses import dataclass

AT_MOST_S = 0.2
"""The client holds a quarter of a second less one frame of what is sent, and the first frame of the
voice is over when it is heard of."""
LIKELY_AT_MOST_S = 0.3
"""Where a frame of it was a voice: some words begin so softly that it is not sure earlier."""


@dataclass(frozen=True, slots=True)
class Hush:
    """What may be a voice, since when."""

    since_s: float | None = None
    """None while there is silence."""
    is_likely: bool = False
    """Whether a frame of it was a voice."""

    def heard(self, *, may_be_voice: bool, is_voice: bool, at_s: float) -> "Hush":
        """The state after a frame that begins at `at_s`."""
        if not may_be_voice:
            return Hush()
        since_s = at_s if self.since_s is None else self.since_s
        return Hush(since_s, is_likely=self.is_likely or is_voice)

    def left_s(self, now_s: float) -> float:
        """How long nothing more is sent, at `now_s`: what lasts longer, others judge by then."""
        if self.since_s is None:
            return 0.0
        at_most_s = LIKELY_AT_MOST_S if self.is_likely else AT_MOST_S
        return max(0.0, self.since_s + at_most_s - now_s)
