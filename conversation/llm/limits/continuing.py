"""The second half of an answer, told apart from what repeats the first half. Pure."""

import re
from dataclasses import dataclass, field
from unicodedata import combining, normalize

from kb.words.languages import function_words, primary

MIN_REPEATED_WORDS = 2
"""One word alone may be meant to stand twice."""
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Scripts without spaces between words, where each sign is compared by itself."""
_UNSPACED_SIGN = re.compile(f"[{_UNSPACED}]")
_MAX_WORD_CHARS = 40
_SPACED = re.compile(rf"\S{{1,{_MAX_WORD_CHARS}}}")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


@dataclass(slots=True)
class Continuation:
    """What a model says after another one had said `said`, without what was said already.

    A model that is told to go on begins anew, or with the last words once more. Its text is held
    back while it is the same as some stretch of `said`, and cut where that ends with `said`.
    """

    said: str
    known: str = ""
    """Texts whose words are whole, e.g. the prompt."""
    language: str = "en"
    _held: str = ""
    _is_open: bool = False
    """Whether nothing is compared any more."""
    _words: list[str] = field(init=False)
    """As they are compared, like all that is called words here."""
    _closing: str = field(init=False)
    """The signs after the last letter of `said`."""

    def __post_init__(self) -> None:
        written = _WORD.findall(self.said)
        self._words = [_compared(word) for word in written]
        self._closing = _after_letters(written[-1]) if written else ""
        self._is_open = not self._words

    def take(self, piece: str) -> str:
        """More of the second half; returns what is new in it, as far as that is known."""
        if self._is_open:
            return piece
        self._held += piece
        if not self._held[-1:].isspace() and (self._could_go_on() or self._is_first_word()):
            return ""
        return self._decided(is_end=False)

    def end(self) -> str:
        """The second half is complete; returns what is still to be said of it."""
        return "" if self._is_open else self._decided(is_end=True)

    def _could_go_on(self) -> bool:
        """Whether everything held may still be a repetition."""
        spoken = _words_of(self._held)
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
        spoken = _words_of(self._held)
        if not is_end and any(
            len(self._words) - start > len(spoken) and self._matches(spoken, start)
            for start in self._starts(spoken)
        ):
            return ""
        self._is_open = True
        held, self._held = self._held, ""
        fewest = 1 if self._is_glued(held) else MIN_REPEATED_WORDS
        for start in range(len(self._words)):
            rest = _after(held, self._words[start:], closing=self._closing)
            if rest is not None and (start == 0 or len(self._words) - start >= fewest):
                return rest.lstrip() if self.said[-1:].isspace() else rest
        if is_end and self._is_within(spoken):
            return ""
        return f" {held}" if self._is_apart(held) else held

    def _is_first_word(self) -> bool:
        """Whether what is held would run into the last word, and is not a word yet."""
        return self._runs_on(self._held) and _SPACED.fullmatch(self._held) is not None

    def _runs_on(self, held: str) -> bool:
        ends, begins = self.said[-1:], held[:1]
        return ends.isalnum() and begins.isalnum() and not _UNSPACED_SIGN.search(ends + begins)

    def _is_apart(self, held: str) -> bool:
        """Whether a word of its own begins: models do not begin answers with a space."""
        if not self._runs_on(held):
            return False
        if held[0].isupper() or (held[0].isdigit() and not self.said[-1].isdigit()):
            return not self.said[-1].isupper()
        first, last = self._first_word(held), self._words[-1]
        if len(first) > 1 and first in function_words(primary(self.language) or "en"):
            return True
        return held[0].isalpha() and len(last) > 1 and last in _whole_words(self.known)

    @staticmethod
    def _first_word(held: str) -> str:
        return next(iter(_words_of(held)), "")

    def _is_glued(self, held: str) -> bool:
        """Whether the first new word would run into the last: that one was cut, or comes again."""
        last = _WORD.findall(self.said[-2:])
        return self.said[-1].isalnum() and held[:1].isalnum() and len(last[-1]) > 1

    def _is_within(self, spoken: list[str]) -> bool:
        """Whether all of it was said, and nothing new came after."""
        return len(spoken) >= MIN_REPEATED_WORDS and any(
            self._matches(spoken, start) for start in range(len(self._words))
        )


def _whole_words(text: str) -> set[str]:
    """Words with something behind them; the last may be cut."""
    return set(_words_of(text))


def _words_of(text: str) -> list[str]:
    return [_compared(word) for word in _WORD.findall(text)]


def _compared(word: str) -> str:
    """The letters and digits, however they are written; models differ in case and in marks."""
    return "".join(filter(str.isalnum, normalize("NFC", word).casefold())) or word


def _after_letters(word: str) -> str:
    letters = next((at for at, char in enumerate(reversed(word)) if char.isalnum()), 0)
    return word[len(word) - letters :]


def _after(text: str, words: list[str], *, closing: str) -> str | None:
    """What follows in `text` after these words; the last of them may go on. None without them.

    Signs behind the last one are left out as far as they are those of `closing`.
    """
    found = list(_WORD.finditer(text))[: len(words)]
    if len(found) < len(words) or not words:
        return None
    if [_compared(each.group()) for each in found[:-1]] != words[:-1]:
        return None
    last = found[-1].group()
    length = _length_of(words[-1], last)
    if length is None:
        return None
    for sign in closing:
        if last[length : length + 1] == sign:
            length += 1
    return text[found[-1].start() + length :]


def _length_of(beginning: str, word: str) -> int | None:
    """How much of `word` is compared as `beginning`, with the marks of its last letter."""
    for length in range(1, len(word) + 1):
        is_whole = not (word[length : length + 1] and combining(word[length]))
        if is_whole and _compared(word[:length]) == beginning:
            return length
    return None


def _begins_alike(word: str, other: str) -> bool:
    return word.startswith(other) or other.startswith(word)
