"""Which rows and columns of a table some words name. Pure."""

import itertools
import math
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from conversation.grounding.checking.stated_values import values_in
from conversation.grounding.checking.table_rows import TableRow
from conversation.language.telling_words import telling_words

_LABEL_FACTOR = 2.0
"""The first cell of a row says what it is about."""
_WHOLE_LABEL = 3.0
_DAYS = 7
_RANGE_MARKS = ("-", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\uff5e", "\u301c", "~")
_UNTIL = frozenset({"to", "through", "till", "until", "bis", "\u00e0", "au", "a", "al", "t/m"})
"""Words between the ends of a range of days."""


def named_rows(
    words: str, rows: Sequence[TableRow], language: str, *, by_label: bool = False
) -> list[TableRow]:
    """The rows that `words` name most clearly, several when they do alike; none when none is.

    A row is named by words that only some rows have: by its first cell more than by others, by the
    whole of that cell more than by a part, and by a day that lies in its range.

    Args:
        words: Of a question or an answer.
        rows: Of one table.
        language: Whose names of days count, beside those of English.
        by_label: Whether the first cell alone counts.
    """
    if not rows:
        return []
    said = _read(words, language)
    frequency = Counter(word for row in rows for word in _row_words(row, language))
    scores = [
        _LABEL_FACTOR * _label_score(said, words, row, frequency, len(rows), language)
        + (0.0 if by_label else _rest_score(said, row, frequency, len(rows), language))
        for row in rows
    ]
    best = max(scores)
    return (
        []
        if best <= 0
        else [row for row, score in zip(rows, scores, strict=True) if score >= best - 1e-9]
    )


def named_columns(words: str, rows: Sequence[TableRow], language: str = "en") -> frozenset[str]:
    """Names of the columns that `words` name, that of the labels aside."""
    cells = (cell for row in rows for cell in row.cells[1:])
    names = list(dict.fromkeys(cell.column for cell in cells if cell.column))
    said = _read(words, language)
    frequency = Counter(word for name in names for word in _read(name, language)[1])
    scores = {name: _score(said, name, frequency, len(names), language) for name in names}
    best = max(scores.values(), default=0.0)
    return frozenset(name for name in names if best > 0 and scores[name] >= best - 1e-9)


def names_whole(words: str, name: str, language: str = "en") -> bool:
    """Whether `words` say all of `name`, not only a part of it."""
    text, said = _read(words, language)
    own_text, own_words = _read(name, language)
    return bool(own_text) and ((bool(own_words) and own_words <= said) or _contains(text, own_text))


def days_in(text: str, language: str) -> frozenset[int]:
    """The days of the week that `text` names, from 0 for Monday; a range has those between."""
    return _days(text, language)


def _label_score(
    said: tuple[str, frozenset[str]],
    words: str,
    row: TableRow,
    frequency: Counter[str],
    count: int,
    language: str,
) -> float:
    if _days(words, language) & _days(row.label, language):
        return _WHOLE_LABEL
    return _score(said, row.label, frequency, count, language)


def _rest_score(
    said: tuple[str, frozenset[str]],
    row: TableRow,
    frequency: Counter[str],
    count: int,
    language: str,
) -> float:
    others = _row_words(row, language) - _read(row.label, language)[1]
    return sum(_weight(frequency[word], count) for word in others & said[1])


def _score(
    said: tuple[str, frozenset[str]],
    name: str,
    frequency: Counter[str],
    count: int,
    language: str,
) -> float:
    """How clearly a name is said: the weight of its words, and whether all of it is there."""
    text, words = said
    own_text, own_words = _read(name, language)
    common = own_words & words
    score = sum(_weight(frequency[word], count) for word in common)
    if own_words and common == own_words:
        score += _WHOLE_LABEL * (score > 0) + len(own_words) / 10
    elif own_text and _contains(text, own_text):
        score += _WHOLE_LABEL + len(own_text) / 100
    return score


def _weight(frequency: int, count: int) -> float:
    """Nothing for a word of every row."""
    return math.log((count + 0.5) / frequency) if 0 < frequency < count or count == 1 else 0.0


def _contains(text: str, name: str) -> bool:
    """Whether `name` stands in `text`; within a word only where words have no spaces."""
    at = text.find(name)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not (_joins(before, name[0]) or _joins(name[-1], after)):
            return True
        at = text.find(name, at + 1)
    return False


def _joins(left: str, right: str) -> bool:
    if not (left and right and left.isalnum() and right.isalnum()):
        return False
    return not (_is_unspaced(left) or _is_unspaced(right))


@lru_cache(maxsize=4_096)
def _is_unspaced(char: str) -> bool:
    """Whether the script of a letter writes words without spaces."""
    name = unicodedata.name(char, "")
    return name.startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"))


@lru_cache(maxsize=4_096)
def _read(text: str, language: str) -> tuple[str, frozenset[str]]:
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded, telling_words(text, language)


def _row_words(row: TableRow, language: str) -> frozenset[str]:
    return frozenset[str]().union(*(_read(cell.text, language)[1] for cell in row.cells))


@lru_cache(maxsize=2_048)
def _days(text: str, language: str) -> frozenset[int]:
    """The days of the week that `text` names, those between the ends of a range included."""
    named = [
        (value, int(form[2:]))
        for value in values_in(text, language)
        for form in value.forms
        if form.startswith("w:")
    ]
    found = {day for _, day in named}
    for (one, first), (other, last) in itertools.pairwise(named):
        between = text[one.end : other.start].strip().lstrip(".").strip()
        if between in _RANGE_MARKS or (between and between.casefold() in _UNTIL):
            found |= {(first + step) % _DAYS for step in range((last - first) % _DAYS + 1)}
    return frozenset(found)
