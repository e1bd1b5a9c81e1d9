"""Numbers as people say them, in digits or in words. Pure, and linear in the length of the text.

Several in a row are one number of something, digit by digit (`four seven one two`), a year
(`nineteen eighty four`), or could be two things (`two fifty`): then both are kept.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analysis.said import number_words as words_of
from analysis.said.counted_nothing import counted_without_number
from analysis.said.further.reading import further_numbers
from analysis.said.ideographs import ideographs_in
from analysis.said.language import Language, language_of
from analysis.said.number_context import in_context
from analysis.said.number_doubts import with_alternatives
from analysis.said.numerals import MOST_DIGITS, SaidNumber, is_plain, numerals_in

_WORD = re.compile(r"[^\W\d_]+")
_NEAR = re.compile(r"\s+|\s?-\s?")
_LISTED = re.compile(r"\s*,\s*|\s+|\s?-\s?")
_TELEPHONE_DIGITS = 7
"""From so many on, digits with commas between them are one number."""
_PRONOUN_BEFORE = re.compile(
    r"(?:\b(?:the|this|that|which|each|every|another|any|no|some|other|first|last|next|good|new|"
    r"old|big|small|right|wrong|same)\s+|\b(?:the|an?|this|that|my|your)\s+[^\W\d_]+\s+|-)$",
    re.IGNORECASE,
)
_PRONOUN_AFTER = re.compile(
    r"\s+(?:of|is|was|that|who|which|thing|day|way|moment|second|sec|minute\s*,?\s*please)\b|"
    r"-(?!\w+\s*$)"
)
_COUNT_BEFORE = re.compile(
    r"(?:^|[.,;:!?]\s*|\b(?:just|only|it|it's|is|are|be|about|for|have|need|want|take|to|number|"
    r"page|room|and|or|than|least|most|exactly|line|option|gate|table|at|past|by|until|till|after|before|around|dot|point|dash|slash|plus|zero|oh|one|two|three|four|five|six|"
    r"seven|eight|nine|double|triple)\s+)$",
    re.IGNORECASE,
)
_POINT_BEFORE = re.compile(r"\b(?:point|dot|decimal)\s+$", re.IGNORECASE)
_LOOK_CHARS = 40


@dataclass(frozen=True, slots=True)
class _Piece:
    """A number alone, before it is read together with its neighbours."""

    start: int
    end: int
    readings: tuple[float, ...]
    digits: str = ""
    """How it is written where it is plain; empty for what stands alone in any case."""
    spelled: bool = True
    """Whether it is in words."""

    @property
    def is_nought(self) -> bool:
        """Whether it is one only among other digits."""
        return self.digits == "0" and not self.readings


def numbers_in(text: str, language: Language | None = None) -> list[SaidNumber]:
    """Return each number said in `text`, in order.

    Args:
        text: Anything that was said.
        language: Of the text; None takes what it tells by itself, and any where it tells none.
    """
    further = further_numbers(text)
    found = [
        said
        for said in in_context(text, digit_runs(text, language))
        if not any(said.start < each.end and each.start < said.end for each in further)
    ]
    found += further
    found += ideographs_in(text)
    found += counted_without_number(text, alone=not found)
    return with_alternatives(text, sorted(found, key=lambda said: said.start))


def digit_runs(text: str, language: Language | None = None) -> list[SaidNumber]:
    """Return the numbers said in `text` one by one, before what stands beside them is read.

    `two point five` are two of them, each with its digits.
    """
    return list(_digit_runs(text, language or language_of(text)))


@lru_cache(maxsize=1_024)
def _digit_runs(text: str, language: Language | None) -> tuple[SaidNumber, ...]:
    pieces = [*_written(text, language), *_in_words(text, language)]
    chains = _chains(text, sorted(pieces, key=lambda piece: piece.start))
    return tuple(said for chain in chains for said in _read(text, chain))


def spelled_numbers(text: str, language: Language | None) -> list[tuple[int, int, str]]:
    """Return where each whole number stands in words, and its digits; neighbours stay apart."""
    return [
        (piece.start, piece.end, piece.digits)
        for piece in _in_words(text, language)
        if piece.digits.isdecimal() and text[piece.start : piece.end] != "o"
    ]


def languages_counted_in(text: str) -> list[Language]:
    """Return the languages that `text` has a number word of, and English where it has none."""
    words = {word.casefold() for word in _WORD.findall(text)}
    counted: list[Language] = [
        language
        for language in words_of.languages_tried(None)
        if any(words_of.whole_number(word, language) is not None for word in words)
    ]
    english: list[Language] = ["en"]
    return counted or english


def number_said(value: float, numbers: Sequence[SaidNumber]) -> SaidNumber | None:
    """Return the number that certainly is `value`, or else one that may be."""
    fits = [said for said in numbers if any(_same(value, each) for each in said.readings)]
    return min(fits, key=lambda said: len(said.readings), default=None)


def written_number(text: str) -> float | None:
    """Return the number that `text` is, in digits and nothing else; a leading zero is a code's."""
    digits = text.strip()
    if re.match(r"[-+]?0\d", digits) or not re.fullmatch(r"[-+]?\d[\d.,]*", digits):
        return None
    numbers = list(numerals_in(digits, "en"))
    whole = len(numbers) == 1 and numbers[0].words == digits and len(numbers[0].readings) == 1
    return numbers[0].readings[0] if whole else None


def _same(first: float, second: float) -> bool:
    return abs(first - second) <= 1e-9 * max(1.0, abs(first))


def _written(text: str, language: Language | None) -> Iterator[_Piece]:
    for said in numerals_in(text, language):
        digits = said.words if is_plain(said) else said.digits
        yield _Piece(said.start, said.end, said.readings, digits, spelled=False)


def _in_words(text: str, language: Language | None) -> Iterator[_Piece]:
    words = list(_WORD.finditer(text))
    folded = [word.group().casefold() for word in words]
    index = 0
    while index < len(words):
        if language is None and _is_english_here(folded, index):
            index += 1
            continue
        found = [
            piece
            for tried in words_of.languages_tried(language)
            if (piece := _longest(text, words, folded, index=index, language=tried)) is not None
        ]
        if not found:
            index += 1
            continue
        best = max(found, key=lambda piece: piece.end)
        first = index
        while index < len(words) and words[index].start() < best.end:
            index += 1
        if language == "en" or not _is_part_elsewhere(folded, first, index):
            yield best


def _is_english_here(folded: list[str], index: int) -> bool:
    """Return whether a word is English, though a number elsewhere: `sept`; not after `double`."""
    if not words_of.is_also_english(folded[index]):
        return False
    beside = folded[max(0, index - 1) : index] + folded[index + 1 : index + 2]
    return not any(
        word in ("komma", "virgule", "coma")
        or (
            words_of.whole_number(word, language) is not None
            and words_of.whole_number(word, "en") is None
        )
        for language in words_of.languages_tried(None)
        if words_of.whole_number(folded[index], language) is not None
        for word in beside
    )


def _is_part_elsewhere(folded: list[str], first: int, end: int) -> bool:
    """Return whether words are part of a number, or of several, in a language that is not read."""
    own = folded[first:end]
    beside = folded[max(0, first - 1) : first] + folded[end : end + 1]
    if any(words_of.counts_elsewhere(word) and not words_of.is_read(word) for word in beside):
        return True
    longer = [folded[max(0, first - count) : first] + own for count in (1, 2) if first >= count]
    longer += [own + folded[end : end + count] for count in (1, 2) if end + count <= len(folded)]
    return any(
        not words_of.is_read(words) and words_of.is_number_elsewhere(words)
        for words in map(" ".join, longer)
    )


def _longest(
    text: str,
    words: Sequence[re.Match[str]],
    folded: list[str],
    *,
    index: int,
    language: Language,
) -> _Piece | None:
    """Return the longest number in `language` that begins at a word."""
    start, first = words[index].start(), folded[index]
    beside = folded[max(0, index - 1) : index] + folded[index + 1 : index + 2]
    best = _special(words[index], first, language, beside=beside)
    not_a_digit = first in words_of.NOUGHTS and not _is_a_digit(first, beside)
    if not_a_digit or not words_of.starts_number(first, language):
        return best
    if words_of.whole_number(first, language) == 0:
        return _Piece(start, words[index].end(), (0.0,), "0")
    for last in range(index, min(len(words), index + words_of.LONGEST_RUN)):
        if last > index and not (
            words_of.continues_number(folded[last], language)
            and _NEAR.fullmatch(text[words[last - 1].end() : words[last].start()])
        ):
            break
        value = words_of.whole_number(" ".join(folded[index : last + 1]), language)
        if value is not None:
            best = _Piece(start, words[last].end(), (float(value),), str(value))
    if best is not None and best.end == words[index].end() and first == "one":
        return best if _counts_one(text, words[index]) else None
    if best is None and words_of.is_article(first, language):
        return _article_as_digit(words, folded, index, language)
    return best


def _article_as_digit(
    words: Sequence[re.Match[str]], folded: Sequence[str], index: int, language: Language
) -> _Piece | None:
    """Return the digit that an article is among others: "quatre sept un deux"."""
    before = folded[index - 1] if index else ""
    after = folded[index + 1 : index + 3]
    counted = [words_of.whole_number(word, language) is not None for word in (before, *after)]
    if not counted[0] and not (len(counted) == 3 and all(counted[1:])):
        return None
    return _Piece(words[index].start(), words[index].end(), (1.0,), "1")


def _special(
    word: re.Match[str], folded: str, language: Language, *, beside: Sequence[str]
) -> _Piece | None:
    """Return a number with a half in it, and what is a digit only among others."""
    if times := words_of.REPEATS.get(folded):
        # A digit comes after `double`: how often it counts stands in place of its value.
        return _Piece(word.start(), word.end(), (), "x" * times)
    if language == "en" and folded in words_of.NOUGHTS and _is_a_digit(folded, beside):
        return _Piece(word.start(), word.end(), (), "0")
    half = words_of.half_number(folded) if language == "de" else None
    return None if half is None else _Piece(word.start(), word.end(), (half,))


def _is_a_digit(nought: str, beside: Sequence[str]) -> bool:
    """Return whether an English nought stands there: in "dos o tres" it means "or"."""
    counted = [
        word
        for word in beside
        if any(
            words_of.whole_number(word, language) is not None
            for language in words_of.languages_tried(None)
        )
    ]
    english = any(words_of.whole_number(word, "en") is not None for word in counted)
    # In "2 o 3" and "due o tre" it is a word of another language.
    return english or (not counted and nought == "oh")


def _counts_one(text: str, word: re.Match[str]) -> bool:
    """Return whether an English "one" counts something: not in "the blue one" or "one of them"."""
    before = text[max(0, word.start() - _LOOK_CHARS) : word.start()]
    after = text[word.end() : word.end() + _LOOK_CHARS]
    if _PRONOUN_BEFORE.search(before) or _PRONOUN_AFTER.match(after):
        return False
    return re.match(r"[\s-]+[^\W_]", after) is not None or bool(_COUNT_BEFORE.search(before))


def _chains(text: str, pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    """Yield the pieces that follow each other without a word between them."""
    chain: list[_Piece] = []
    for piece in pieces:
        if chain and _joins(text, chain[-1], piece):
            chain.append(piece)
            continue
        if chain:
            yield chain
        chain = [piece]
    if chain:
        yield chain


def _joins(text: str, before: _Piece, piece: _Piece) -> bool:
    if not before.digits or not piece.digits:
        return False
    single = len(before.digits) == len(piece.digits) == 1
    gap = text[before.end : piece.start]
    return (single or before.spelled == piece.spelled) and bool(
        (_LISTED if single else _NEAR).fullmatch(gap)
    )


def _read(text: str, chain: list[_Piece]) -> Iterator[SaidNumber]:
    while chain and "x" in chain[-1].digits:
        chain = chain[:-1]
    if not chain:
        return
    after_point = _POINT_BEFORE.search(text[max(0, chain[0].start - _LOOK_CHARS) : chain[0].start])
    while chain and chain[0].is_nought and len(chain) < 3 and not after_point:
        # "Oh, two please."
        chain = chain[1:]
    if not chain:
        return
    start, end = chain[0].start, chain[-1].end
    digits = _digit_by_digit(chain)
    if len(chain) == 1:
        yield SaidNumber(start, text[start:end], chain[0].readings, digits)
    elif all(len(piece.digits) == 1 or "x" in piece.digits for piece in chain):
        yield from _digit_run(text, chain, digits)
    elif chain[0].spelled:
        yield SaidNumber(start, text[start:end], _together(chain), digits)
    elif len(digits) >= _TELEPHONE_DIGITS:
        yield SaidNumber(start, text[start:end], (), digits)
    else:
        for piece in chain:
            yield SaidNumber(
                piece.start, text[piece.start : piece.end], piece.readings, piece.digits
            )


def _digit_run(text: str, chain: Sequence[_Piece], digits: str) -> Iterator[SaidNumber]:
    """Read digits in a row: a number of something, unless they are a list or too few to tell."""
    start, end = chain[0].start, chain[-1].end
    commas = "," in text[start:end] and len(digits) < _TELEPHONE_DIGITS
    if commas and len(chain) == 2:
        for piece in chain:
            words = text[piece.start : piece.end]
            yield SaidNumber(piece.start, words, piece.readings, piece.digits)
        return
    certain = 2 < len(digits) <= MOST_DIGITS and not commas and digits[0] != "0"
    yield SaidNumber(start, text[start:end], (float(digits),) if certain else (), digits)


def _digit_by_digit(chain: Sequence[_Piece]) -> str:
    digits, times = "", 1
    for piece in chain:
        if "x" in piece.digits:
            times = len(piece.digits)
            continue
        digits += piece.digits[:1] * (times - 1) + piece.digits
        times = 1
    return digits


def _together(chain: Sequence[_Piece]) -> tuple[float, ...]:
    """Return what two numbers below a hundred mean together: a year, or one of two things."""
    if any("x" in piece.digits for piece in chain):
        return ()
    values = [int(piece.digits) for piece in chain]
    if len(values) == 3 and chain[1].is_nought and values[2] < 10:
        values = [values[0], values[2]]
    elif len(values) != 2 or not 10 <= values[1] <= 99:
        return ()
    high, low = values
    if not 1 <= high <= 99:
        return ()
    joined = float(high * 100 + low)
    return (joined,) if 13 <= high <= 20 else (joined, high + low / 100)
