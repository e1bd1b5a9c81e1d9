"""A text with its number words as digits, so that days and times have one form. Pure.

`December the fifth at half past three` reads `december the 5th at half past 3`; every character
still knows where it stands in the text as it was said.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast

import text_to_num  # pyright: ignore[reportMissingTypeStubs]

from analysis.said.language import Language, language_of
from analysis.said.normal_form import Folded, folded
from analysis.said.number_words import languages_tried
from analysis.said.numbers import spelled_numbers

_WORD = re.compile(r"[^\W\d_]+")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.|er|re|º|ª|ème|e)")
_NO_ORDINALS = frozenset({"cuarto", "cuarta"})
"""A fourth is the quarter of an hour in Spanish, too, and days are counted with whole numbers."""
_TENS = frozenset({"twenty", "thirty"})


@lru_cache(maxsize=512)
def digitised(text: str, language: Language | None = None) -> Folded:
    """Return `text` folded, with digits for its number words and `5th` for each ordinal."""
    plain = folded(text)
    language = language or language_of(text)
    replaced = spelled_numbers(plain.text, language)
    replaced += _ordinals(plain.text, language)
    return _with(plain, _longest_first(replaced))


def _longest_first(replaced: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for each in sorted(replaced, key=lambda span: (span[0], -span[1])):
        if not kept or each[0] >= kept[-1][1]:
            kept.append(each)
    return kept


def _with(plain: Folded, replaced: Sequence[tuple[int, int, str]]) -> Folded:
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, digits in [*replaced, (len(plain.text), len(plain.text), "")]:
        characters += plain.text[at:start]
        starts += plain.starts[at:start]
        ends += plain.ends[at:start]
        for char in digits:
            characters.append(char)
            starts.append(plain.starts[start])
            ends.append(plain.ends[end - 1])
        at = end
    return Folded("".join(characters), tuple(starts), tuple(ends))


def _ordinals(text: str, language: Language | None) -> Iterator[tuple[int, int, str]]:
    words = list(_WORD.finditer(text))
    for index, word in enumerate(words):
        after = words[index + 1] if index + 1 < len(words) else None
        if word.group() in _TENS and after and after.start() == word.end() + 1:
            day = _ordinal(f"{word.group()} {after.group()}", language)
            if day:
                yield word.start(), after.end(), day
                continue
        if day := _ordinal(word.group(), language):
            yield word.start(), word.end(), day


@lru_cache(maxsize=16_384)
def _ordinal(words: str, language: Language | None) -> str | None:
    if words in _NO_ORDINALS:
        return None
    for tried in languages_tried(language):
        written = cast("str", text_to_num.alpha2digit(words, tried, 0.0))  # pyright: ignore[reportUnknownMemberType]
        found = _ORDINAL.fullmatch(written)
        if found:
            return f"{found[1]}." if tried == "de" else f"{found[1]}th"
    return None
