"""A clause -> its words, signs and pauses, each with its place in the text. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "pause", "sign"]

_LETTERS = r"[^\W\d_](?>(?:[\u0300-\u036f]|[^\W\d_])*)"
_PIECE = re.compile(
    rf"(?P<word>(?:[^\W\d_]{{1,2}}\.){{2,}}|{_LETTERS}(?>(?:['\u2019-]{_LETTERS})*))"
    r"|(?P<number>\d++(?>(?:[.,:/]\d++)*))"
    r"|(?P<pause>[.,;:!?\u2026\u2014\u2013\u3002\u3001\uff0c\uff1b\uff1a\uff01\uff1f\u061f\u060c]++"
    r"|(?<=\s)-(?=\s))"
    r"|(?P<sign>[^\s\w]|_)"
)
_PAUSES = {
    "\u2013": "\u2014",
    "-": "\u2014",
    "\u3002": ".",
    "\u3001": ",",
    "\uff0c": ",",
    "\uff1b": ";",
    "\uff1a": ":",
    "\uff01": "!",
    "\uff1f": "?",
    "\u061f": "?",
    "\u060c": ",",
}
_STRENGTH = "\u2014,;:.\u2026!?"
_FROM_OTHER_LETTERS = str.maketrans(
    {
        "\u00df": "ss", "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u00e6": "ae", "\u0153": "oe",
        "\u00f0": "th", "\u00fe": "th", "\u0131": "i", "\u00d8": "O", "\u0141": "L", "\u0110": "D",
        "\u00c6": "Ae", "\u0152": "Oe", "\u00de": "Th", "\u1e9e": "SS", "\u0130": "I",
        "\u0127": "h",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that is said, or a pause."""

    kind: Kind
    text: str
    """A pause is one of `. , ; : ! ? … —`."""
    start_char: int
    end_char: int


def pieces(clause: str) -> Iterator[Piece]:
    """What is said of `clause`, in order. White space belongs to nothing."""
    for match in _PIECE.finditer(clause):
        kind, text = match.lastgroup, match[0]
        if kind == "pause":
            text = _strongest(text)
        elif kind == "word":
            text = text.replace("\u2019", "'")
        yield Piece(kind, text, match.start(), match.end())  # pyright: ignore[reportArgumentType]


def in_plain_letters(word: str) -> str | None:
    """`word` in the letters a to z and apostrophes; None when it is written in another script."""
    plain = unicodedata.normalize("NFKD", word.translate(_FROM_OTHER_LETTERS))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return plain if plain.isascii() else None


def script_of(char: str) -> str:
    """E.g. `CYRILLIC`, for a message."""
    return unicodedata.name(char, "UNKNOWN").partition(" ")[0]


def _strongest(marks: str) -> str:
    """The mark that a run of them is read as: `?!` as a question, `...` as its own."""
    plain = [_PAUSES.get(mark, mark) for mark in marks]
    if "".join(plain).startswith("..") and set(plain) == {"."}:
        return "\u2026"
    return max(plain, key=_STRENGTH.index)
