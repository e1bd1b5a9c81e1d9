"""Words of the documents near one that was asked for: misspelt, or part of a longer one.

Reads the catalog's list of words through its two indexes, forwards and backwards: one of the two
halves of a word with one wrong letter is right.
"""

import sqlite3
from collections.abc import Iterable

from kb.words.indexing import CAPITALISED, LOWER_CASE

_MIN_MISSPELT = 4
_TWO_ERRORS = 8
"""Letters from which a word may have two wrong ones."""
_MAX_NEAR = 3
_MAX_COMPARED = 40
_MAX_SCANNED = 2_000
_MIN_PART = 4
_MAX_LONGER = 12
_LINKS = ("", "s", "es", "n", "en", "er", "e")
"""What Germanic languages put between the parts of a word."""
_LAST = "\U0010ffff"


def is_name(connection: sqlite3.Connection, word: str) -> bool:
    """Whether a folded word never stands in lower case, and has a capital within a sentence."""
    rows = connection.execute("select seen from known_words where word = ?", (word,)).fetchall()
    seen = 0
    for row in rows:
        seen |= int(row[0])
    return bool(seen & CAPITALISED) and not seen & LOWER_CASE


def near_words(connection: sqlite3.Connection, word: str, stem: str) -> list[tuple[str, str]]:
    """Known words that differ from a folded one by a letter, or two where it is long.

    With the endings of both or without: "refnd" is near "refunds". Each with its term, the
    likeliest first.
    """
    if len(word) < _MIN_MISSPELT or not word.isalpha():
        return []
    allowed = 2 if len(word) >= _TWO_ERRORS else 1
    forms = {word, stem} if len(stem) >= _MIN_MISSPELT else {word}
    kept = len(word) // (allowed + 1)
    found: dict[str, tuple[str, int]] = {}
    lengths = len(word) - allowed, len(word) + allowed
    for known, term in (
        *_starting(connection, word[:kept], limit=_MAX_SCANNED, lengths=lengths),
        *_ending(connection, word[-kept:], limit=_MAX_SCANNED, lengths=lengths),
        *_swapped(connection, word),
    ):
        if known not in found:
            apart = edits(word, known, at_most=allowed)
            if apart > allowed and known.startswith(term):
                apart = min(edits(form, term, at_most=allowed) for form in forms)
            if apart <= allowed:
                found[known] = term, apart
    nearest = min((apart for _, apart in found.values()), default=0)
    best = sorted(
        (known for known, (_, apart) in found.items() if apart == nearest),
        key=lambda known: (known[0] != word[0], abs(len(known) - len(word)), known),
    )
    return [(known, found[known][0]) for known in best[:_MAX_NEAR]]


def parts_of(connection: sqlite3.Connection, word: str) -> list[str]:
    """Terms of the two known words that a folded compound is made of; empty where it is none."""
    for at in range(len(word) - _MIN_PART, _MIN_PART - 1, -1):
        head = _term(connection, word[at:])
        if head is None:
            continue
        for link in _LINKS:
            if word[:at].endswith(link) and at - len(link) >= _MIN_PART:
                modifier = _term(connection, word[: at - len(link)])
                if modifier is not None:
                    return [modifier, head]
    return []


def compounds_beginning(connection: sqlite3.Connection, word: str, stem: str) -> list[str]:
    """Terms of longer known words that begin with a folded word or its stem."""
    return _longer(
        word, [_starting(connection, start, limit=_MAX_LONGER) for start in _of(word, stem)]
    )


def compounds_ending(connection: sqlite3.Connection, word: str, stem: str) -> list[str]:
    """Terms of longer known words that end in a folded word or its stem."""
    return _longer(word, [_ending(connection, end, limit=_MAX_LONGER) for end in _of(word, stem)])


def _of(word: str, stem: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in (word, stem) if len(each) >= _MIN_PART))


def _longer(word: str, found: Iterable[Iterable[tuple[str, str]]]) -> list[str]:
    return list(
        dict.fromkeys(term for row in found for known, term in row if len(known) >= len(word) + 3)
    )


def edits(one: str, other: str, *, at_most: int) -> int:
    """Letters to put in, leave out, change or swap between two words; `at_most` + 1 for more.

    Restricted Damerau-Levenshtein distance, row by row.
    """
    one, other = _differing(one, other)
    # One edit leaves at most two swapped letters.
    longest = 2 if at_most == 1 else _MAX_COMPARED
    if abs(len(one) - len(other)) > at_most or max(len(one), len(other)) > longest:
        return at_most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [place]
        for at, against in enumerate(other, start=1):
            cost = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != against))
            if place > 1 and at > 1 and letter == other[at - 2] and one[place - 2] == against:
                cost = min(cost, earlier[at - 2] + 1)
            row.append(cost)
    return min(row[-1], at_most + 1)


def _differing(one: str, other: str) -> tuple[str, str]:
    """Two words without what they begin and end in alike."""
    shorter = min(len(one), len(other))
    start = 0
    while start < shorter and one[start] == other[start]:
        start += 1
    end = 0
    while end < shorter - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _term(connection: sqlite3.Connection, word: str) -> str | None:
    row = connection.execute(
        "select term from known_words where word = ? or (word >= ? and word < ? and term = ?) "
        "limit 1",
        (word, word, word + _LAST, word),
    ).fetchone()
    return None if row is None else str(row[0])


def _starting(
    connection: sqlite3.Connection,
    start: str,
    *,
    limit: int,
    lengths: tuple[int, int] = (0, 1_000),
) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select word, term from known_words where word >= ? and word < ? "
        "and (length(word) between ? and ? or length(term) between ? and ?) limit ?",
        (start, start + _LAST, *lengths, *lengths, limit),
    )
    return [(str(word), str(term)) for word, term in rows]


def _ending(
    connection: sqlite3.Connection,
    end: str,
    *,
    limit: int,
    lengths: tuple[int, int] = (0, 1_000),
) -> list[tuple[str, str]]:
    backwards = end[::-1]
    rows = connection.execute(
        "select word, term from known_words where backwards >= ? and backwards < ? "
        "and (length(word) between ? and ? or length(term) between ? and ?) limit ?",
        (backwards, backwards + _LAST, *lengths, *lengths, limit),
    )
    return [(str(word), str(term)) for word, term in rows]


def _swapped(connection: sqlite3.Connection, word: str) -> list[tuple[str, str]]:
    """Two letters swapped just where the halves of a word meet leave neither half right."""
    found: list[tuple[str, str]] = []
    for at in range(1, len(word)):
        swapped = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
        rows = connection.execute("select word, term from known_words where word = ?", (swapped,))
        found += [(str(known), str(term)) for known, term in rows]
    return found
