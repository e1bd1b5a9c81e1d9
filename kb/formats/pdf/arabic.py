"""Arabic in the order it is read: pdfium turns some words and not others, by their glyphs."""

import re
import unicodedata
from collections.abc import Sequence

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(f"{_ARABIC.pattern}+")


def is_arabic(text: str) -> bool:
    """Whether a text has letters of the Arabic script."""
    return _ARABIC.search(text) is not None


def in_reading_order(text: str, origins: Sequence[float]) -> str:
    """Turn the words whose characters came in the wrong direction, and undo presentation forms.

    Args:
        text: A line with its words in reading order.
        origins: Where each of its characters begins, from the left.
    """
    if len(origins) < len(text):
        return text

    def turned(match: re.Match[str]) -> str:
        at = origins[match.start() : match.end()]
        return _turned(match.group(), at)

    return unicodedata.normalize("NFKC", _WORD.sub(turned, text))


def _turned(word: str, origins: Sequence[float]) -> str:
    if word.isascii():
        order = sorted(range(len(word)), key=origins.__getitem__)
        return "".join(word[at] for at in order)

    def run(match: re.Match[str]) -> str:
        first, last = origins[match.start()], origins[match.end() - 1]
        return match.group() if first >= last else match.group()[::-1]

    return _LETTERS.sub(run, word)
