"""What stood at the end of a line: a blank, nothing, or a hyphen that may belong to the word."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kb.formats.vendors import vendor

UNDONE_HYPHEN = "\ufffe"
"""Where pdfium joined two lines of the page at a hyphen, without a word on which kind it was."""

_HYPHENS = "-\u2010\u2011\u2013"
_WORD = re.compile(r"[\w\u2010\u2011-]+")
_MAX_WORD_CHARS = 64
_MAX_ADDRESS_CHARS = 500
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*$|(?<!\S)[\w.+-]+@[\w.-]*$", re.IGNORECASE)
_FOLLOWING = re.compile(r"\S+")
_WITHIN = ("/", "?", "&", "=", "%", "_", "#", "@", "~")
"""What begins no word of a sentence."""
_UNFINISHED = ("=", "&", "_", "%", "?", "#", "~", "-", "@")
"""What ends no address."""
_PATH_LIKE = re.compile(r"[/_=&%#?]|\d|\w-\w|\w\.\w")
"""What a piece of a path has and a word of a sentence seldom."""
# Scripts that are written without blanks between words, and the punctuation of East Asia.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3100-\u312f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U00020000-\U0003ffff]"
)


def width(text: str) -> int:
    """Columns of a terminal that a text takes: an ideograph is as wide as two letters."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def separator(before: str, after: str) -> str:
    """What stands between two lines that run on."""
    last, first = before[-1:], after[:1]
    if _UNSPACED.match(last) and _UNSPACED.match(first):
        return ""
    # pdfium undoes a hyphen between letters; what ends in one here is a number or a code.
    if last in _HYPHENS and before[-2:-1].isalnum() and first.isalnum():
        return ""
    if _address_goes_on(before, after):
        return ""
    return " "


def _address_goes_on(before: str, after: str) -> bool:
    """Whether a web or mail address is broken between two lines.

    After a slash a plain word may as well be the next one of the sentence, and stays apart.
    """
    address = _ADDRESS.search(before[-_MAX_ADDRESS_CHARS:])
    following = _FOLLOWING.match(after[:_MAX_ADDRESS_CHARS])
    if address is None or following is None or address[0].endswith((",", ";", ")", ">")):
        return False
    piece = following[0].rstrip(".,;:!?)>")
    if piece[:1] in _WITHIN or address[0][-1] in _UNFINISHED:
        return True
    is_mail = "://" not in address[0] and "@" in address[0]
    if is_mail:
        return address[0][-1] == "@" or (address[0][-1] == "." and piece.isalpha())
    in_path = address[0].count("/") > 2 or "://" not in address[0]
    return in_path and _PATH_LIKE.search(piece) is not None


def in_address(before: str) -> bool:
    """Whether a text ends within a web address."""
    return _ADDRESS.search(before[-_MAX_ADDRESS_CHARS:]) is not None


@dataclass(frozen=True, slots=True)
class Hyphens:
    """Which hyphens at line ends are part of a word, told from the rest of the document."""

    words: frozenset[str]
    language: str | None

    @classmethod
    def of(cls, lines: Iterable[str], language: str | None) -> "Hyphens":
        """Learn the words of a document; lines that hold no break at all cost nothing more."""
        texts = list(lines)
        if not any(UNDONE_HYPHEN in text or "\u2010" in text for text in texts):
            return cls(frozenset(), language)
        whole = " ".join(
            word for text in texts for word in text.casefold().split() if UNDONE_HYPHEN not in word
        )
        found = frozenset(_plain(word).strip("-") for word in _WORD.findall(whole))
        return cls(found, language)

    def resolved(self, text: str) -> str:
        """Put back each hyphen that the line end did not bring."""
        if UNDONE_HYPHEN not in text:
            return text
        parts = text.split(UNDONE_HYPHEN)
        joined = parts[:1]
        for before, after in pairwise(parts):
            left = _WORD.findall(before[-_MAX_WORD_CHARS:])
            right = _WORD.match(after[:_MAX_WORD_CHARS])
            touching = left and before.endswith(left[-1])
            kept = in_address(before) or self._belongs(
                left[-1] if touching else "", right.group() if right else ""
            )
            joined += ["-" if kept else "", after]
        return "".join(joined)

    def _belongs(self, left: str, right: str) -> bool:
        last = _plain(left).rpartition("-")[2]
        right = _plain(right).partition("-")[0]
        first, second = last.casefold(), right.casefold()
        if f"{first}-{second}" in self.words or not first or not second:
            return True
        if first + second in self.words:
            return False
        if right[0].isdigit() or last[-1].isdigit():
            return True
        if right[0].isupper() or len(last) == 1 or last.isupper():
            return True
        return _is_compound(first, second, (self.language or "en").split("-")[0].lower())


def _plain(word: str) -> str:
    return word.replace("\u2010", "-").replace("\u2011", "-")


def _is_compound(first: str, second: str, language: str) -> bool:
    """Whether a dictionary knows two words and not the one that they would make together."""
    known = _dictionary(language)
    if known is None or first + second in known:
        return False
    return all(len(part) > 2 and part in known for part in (first, second))


@lru_cache(maxsize=2)
def _dictionary(language: str) -> Any:
    """Words of a language with their frequencies; None where the library has none."""
    checker = vendor("spellchecker").SpellChecker
    if language not in checker.languages():
        return None
    return checker(language=language, distance=1).word_frequency
