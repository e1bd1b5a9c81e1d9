"""When the words of a clause are said: by the synthesizer's own times, else evenly. Pure."""

from collections.abc import Iterator, Sequence

from conversation.voice.ports import TimedChars
from conversation.voice.turns.clauses import Clause
from conversation.voice.turns.playout import HeardText

USUAL_CHARS_PER_S = 15.0
"""Of English speech; a clause that was cut while it was made has no length to share out."""


class ClauseWords:
    """The words of one clause, as its sound is made."""

    def __init__(self, clause: Clause, *, begins_s: float) -> None:
        """Begin.

        Args:
            clause: What is said.
            begins_s: Where it begins in the turn's sound.
        """
        self._clause = clause
        self._begins_s = begins_s
        self._ends_s: list[float] = []
        """Of each character that has a time."""

    def placed(self, alignment: Sequence[TimedChars]) -> Iterator[TimedChars]:
        """The characters of a chunk, timed from the beginning of the turn's sound."""
        for said in alignment:
            start_s = self._begins_s + said.start_s
            each_s = said.duration_s / max(1, len(said.chars))
            self._ends_s += [start_s + each_s * (n + 1) for n in range(len(said.chars))]
            yield TimedChars(said.chars, start_s, said.duration_s)

    def end(self, heard: HeardText, *, made_s: float, is_whole: bool = True) -> None:
        """The clause was made until `made_s`: tell when its words were said."""
        chars = max(1, len(self._clause.text))
        lasts_s = made_s - self._begins_s
        if not is_whole:
            lasts_s = max(lasts_s, chars / USUAL_CHARS_PER_S)
        for mark in self._clause.marks:
            if self._ends_s:
                if mark.spoken > len(self._ends_s) and not is_whole:
                    return
                end_s = self._ends_s[min(mark.spoken, len(self._ends_s)) - 1]
            else:
                end_s = self._begins_s + lasts_s * mark.spoken / chars
            heard.reaches(end_s, chars=mark.source)
