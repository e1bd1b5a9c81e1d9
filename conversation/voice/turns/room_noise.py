"""How loud the user's room is, and whether something in it begins to sound. Pure.

A detector of voices needs a tenth of a second or two before it believes in a soft one ("stop");
that something sounds is known with its first frame.
"""

from dataclasses import dataclass

QUIETEST = 10.0
"""Of 32,768: below it, silence that a client made is not told from a quiet room."""
LOUDER = 3.0
"""Ten decibels above the room. Chosen on 102 words of five made voices, in rooms of three kinds."""
_RISES = 1.02
"""With each frame: a fan that is switched on is the room after a few seconds, and a word is not."""


@dataclass(frozen=True, slots=True)
class RoomNoise:
    """The level that is always there."""

    level: float = QUIETEST

    def heard(self, level: float) -> tuple["RoomNoise", bool]:
        """The state after a frame so loud (root mean square), and whether it stands out."""
        room = max(QUIETEST, min(level, self.level * _RISES))
        return RoomNoise(room), level > LOUDER * self.level
