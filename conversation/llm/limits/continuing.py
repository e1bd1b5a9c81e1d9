"""The second half of an answer, told apart from what repeats the first half. Pure."""

import re
from dataclasses import dataclass, field

MIN_REPEATED_WORDS = 2
"""One word alone may be meant to stand twice."""
_WORD = re.compile(r"\S+")


@dataclass(slots=True)
class Continuation:
    """What a model says after another one had said `said`, without what was said already.

    A model that is told to go on begins anew, or with the last words once more. Its text is held
    back while it is the same as some stretch of `said`, and cut where that ends with `said`.
    """

    said: str
    _held: str = ""
    _is_open: bool = False
    """Whether nothing is compared any more."""
    _words: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._words = self.said.split()
        self._is_open = not self._words

    def take(self, piece: str) -> str:
        """More of the second half; returns what is new in it, as far as that is known."""
        if self._is_open:
            return piece
        self._held += piece
        if not self._held[-1:].isspace() and self._could_go_on():
            return ""
        return self._decided(is_end=False)

    def end(self) -> str:
        """The second half is complete; returns what is still to be said of it."""
        return "" if self._is_open else self._decided(is_end=True)

    def _could_go_on(self) -> bool:
        """Whether everything held may still be a repetition."""
        spoken = self._held.split()
        return any(self._matches(spoken, start) for start in self._starts(spoken))

    def _starts(self, spoken: list[str]) -> list[int]:
        if not spoken:
            return [0]
        return [at for at in range(len(self._words)) if _begins_alike(self._words[at], spoken[0])]

    def _matches(self, spoken: list[str], start: int) -> bool:
        """Whether `spoken` is the same as `said` from this word on, as far as both go."""
        if not spoken:
            return True
        stretch = self._words[start : start + len(spoken)]
        if len(stretch) < len(spoken):  # it went beyond the end
            return False
        *whole, last = spoken
        return whole == stretch[: len(whole)] and stretch[-1].startswith(last)

    def _decided(self, *, is_end: bool) -> str:
        spoken = self._held.split()
        if not is_end and any(
            len(self._words) - start > len(spoken) and self._matches(spoken, start)
            for start in self._starts(spoken)
        ):
            return ""
        self._is_open = True
        held, self._held = self._held, ""
        for start in range(len(self._words)):
            rest = _after(held, self._words[start:])
            if rest is not None and (start == 0 or len(self._words) - start >= MIN_REPEATED_WORDS):
                return rest.lstrip() if self.said[-1:].isspace() else rest
        if is_end and self._is_within(spoken):
            return ""
        return held

    def _is_within(self, spoken: list[str]) -> bool:
        """Whether all of it was said, and nothing new came after."""
        return len(spoken) >= MIN_REPEATED_WORDS and any(
            self._matches(spoken, start) for start in range(len(self._words))
        )


def _after(text: str, words: list[str]) -> str | None:
    """What follows in `text` after these words; the last of them may go on. None without them."""
    found = list(_WORD.finditer(text))[: len(words)]
    if len(found) < len(words):
        return None
    if [each.group() for each in found[:-1]] != words[:-1]:
        return None
    if not found[-1].group().startswith(words[-1]):
        return None
    return text[found[-1].start() + len(words[-1]) :]


def _begins_alike(word: str, other: str) -> bool:
    return word.startswith(other) or other.startswith(word)
