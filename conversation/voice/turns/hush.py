"""Nothing is sent while a voice may be beginning. Pure, over audio time.

Whether it is one is known a sixth of a second after it began. Until then the client plays what it
has: a pause so short in what is sent is never heard, and when it was one, that much less has to be
taken back.
"""

from dataclasses import dataclass

AT_MOST_S = 0.2
"""The client holds a quarter of a second less one frame of what is sent, and the first frame of the
voice is over when it is heard of."""


@dataclass(frozen=True, slots=True)
class Hush:
    """What may be a voice, since when."""

    since_s: float | None = None
    """None while there is silence."""

    def heard(self, *, may_be_voice: bool, at_s: float) -> "Hush":
        """The state after a frame that begins at `at_s`."""
        if not may_be_voice:
            return self if self.since_s is None else Hush()
        return Hush(at_s) if self.since_s is None else self

    def left_s(self, now_s: float) -> float:
        """How long nothing more is sent, at `now_s`: what lasts longer, others judge by then."""
        return 0.0 if self.since_s is None else max(0.0, self.since_s + AT_MOST_S - now_s)
