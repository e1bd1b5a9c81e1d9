# ruff: noqa: RUF001 (other scripts have letters that look like Latin ones)
"""Text cut into sentences with exact offsets. Pure; works on a growing text too."""

import re
from typing import NamedTuple

_LIST_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_END = re.compile(
    "(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\\]]*(?=\\s)"
    # Chinese and Japanese; Arabic and Urdu; Devanagari; Armenian; Ethiopic; Burmese; Khmer.
    "|[\u3002\uff01\uff1f\uff61\u061f\u06d4\u0964\u0965\u0589\u1362\u1367\u104b\u17d4]+|\\n+"
)
_ABBREVIATION = re.compile(
    # No "t" of "can't" is one.
    r"(?<!['\u2019])\b(?:(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|prof|st|inc|ltd|approx|cf|fig|sec|max|min|incl"
    r"|z|d|u|bl|f|t|d\.\s?h|u\.\s?a|o\.\s?ä|i\.\s?d|bzw|ca|evtl|ggf|inkl|zzgl|vgl|usw|nr|str|tel|mio|mrd|sog|tgl"
    r"|sra?|srta|dra|uds?|avda|núm|pág|aprox|p\.\s?ej|p\.\s?ex|mme|mlle|dott|ecc|bijv|mevr|dhr"
    r"|d\.w\.z|np|ul|tzw|tj|godz|m\.\s?in|t\.\s?ex|bl\.\s?a|f\.\s?eks|kl|např|tzv|č"
    r"|г|ул|стр|тыс|руб|коп|напр|см|т|т\.\s?[едпк])"
    r"|(?-i:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Okt|Nov|Dec|Dez|Av|Sig|Abs)"
    r"|(?-i:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f])"
    # The ordinals of German and of the north: "am 3. März", "der 2. Stock", "3. 4. 2026".
    r"|(?:(?<!i )am|vom|zum|zur|der|dem|den|des|das|die|im|beim)\s\d{1,2}|\d{1,2}\.\s\d{1,2})$",
    re.IGNORECASE,
)
_MAY_END_LATER = ".!?\u2026\"'\u201d\u2019)]"
_NUMBER_OF_A_LIST = re.compile(r"\s{0,80}\d{1,2}")
_LOOKED_BACK_CHARS = 16
"""More than the longest abbreviation: a sentence full of them is not read again at each."""


class Sentence(NamedTuple):
    """One sentence: characters [start, end) of its text, without white space around it."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of `text` in order. Line breaks end one, list markers belong to none."""
    found: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if _is_inside_sentence(text, start, match):
            continue
        _add(found, text, start, match.end())
        start = match.end()
    _add(found, text, start, len(text))
    return found


def finished_length(text: str, *, searched: int = 0) -> int:
    """How many characters of a growing text are whole sentences.

    Args:
        text: From the beginning of a sentence.
        searched: `settled_length` of the same text when it was shorter and held no whole sentence.
    """
    end = 0
    start = 0
    for match in _END.finditer(text, searched):
        if not _is_inside_sentence(text, start, match):
            start = end = match.end()
    return end


def settled_length(text: str) -> int:
    """How many characters hold no whole sentence, whatever comes after a text that holds none.

    It is 0 for marks that may end a sentence once more than such marks come after them.
    """
    return len(text.rstrip(_MAY_END_LATER))


def _is_inside_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if not match.group().startswith("."):
        return False
    end = match.start()
    if _ABBREVIATION.search(text, max(start, end - _LOOKED_BACK_CHARS), end) is not None:
        return True
    return _NUMBER_OF_A_LIST.fullmatch(text, start, end) is not None


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    marker = _LIST_MARKER.match(piece)
    if marker:
        start += marker.end()
        piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + piece.index(stripped)
        found.append(Sentence(stripped, begin, begin + len(stripped)))
