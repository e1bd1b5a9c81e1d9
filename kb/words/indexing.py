"""A chunk -> the terms it is found by. Pure.

Its words as stems of its language, in order; of scripts without spaces, each two syllables that
stand side by side. Beside them, other spellings that a person may look for: joined identifiers,
names of several words, words without the letters that Hebrew writes before them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from kb.words.identifiers import identifiers
from kb.words.languages import CAPITALISED_NOUNS, COMPOUNDING, function_words, stem
from kb.words.spelling import Run, folded, respelled, runs, syllables

LOWER_CASE = 1
"""Flag of a word that stands in lower case somewhere, so that it is no name."""
CAPITALISED = 2
"""Flag of a word that has a capital within a sentence."""
_HEBREW_PREFIXES = frozenset("\u05d5\u05d4\u05d1\u05dc\u05de\u05e9\u05db")
_MIN_HEBREW = 3
_MIN_KNOWN = 3
_MAX_KNOWN = 40
_MAX_ACRONYM = 5


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """What a chunk is found by, as the catalog keeps it; terms are separated by spaces."""

    headings: str = ""
    """Of the title and headings above it."""
    body: str = ""
    extra: str = ""
    """Other spellings of both."""
    own_headings: int = 0
    """How many of the first terms of `body` are a heading that the chunk starts with."""
    known: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Flags of each (folded word, term) of letters alone: what misspelt words are compared with."""


def chunk_terms(headings: str, body: str, *, language: str) -> ChunkTerms:
    """The terms of a chunk in a language."""
    above, text = respelled(headings), respelled(body)
    above_runs, text_runs = list(runs(above)), list(runs(text))
    own = own_headings(text)
    extra = dict.fromkeys(
        (*_extra(above, above_runs, language), *_extra(text, text_runs, language))
    )
    known: dict[tuple[str, str], int] = {}
    _know(known, above, above_runs, language)
    _know(known, text, text_runs, language)
    return ChunkTerms(
        headings=" ".join(terms(above_runs, language)),
        body=" ".join(terms(text_runs, language)),
        extra=" ".join(extra),
        own_headings=sum(1 for _ in terms((run for run in text_runs if run.end <= own), language)),
        known=known,
    )


def terms(found: Iterable[Run], language: str) -> Iterator[str]:
    """Terms of the runs of a text in order."""
    for run in found:
        yield from run_terms(run, language)


def run_terms(run: Run, language: str) -> list[str]:
    """Terms of one run: a stem, or each two syllables side by side."""
    if run.kind == "word":
        term = stem(run.text, language)
        return [term] if term else []
    parts = syllables(run.text)
    if len(parts) == 1:
        return [folded(parts[0])]
    return [folded(first + second) for first, second in pairwise(parts)]


def hebrew_forms(word: str) -> list[str]:
    """A folded word without one and without two of the letters that are written before it."""
    forms: list[str] = []
    while word[:1] in _HEBREW_PREFIXES and len(word) > _MIN_HEBREW and len(forms) < 2:
        word = word[1:]
        forms.append(word)
    return forms


def own_headings(text: str) -> int:
    """Length of the headings that a text starts with."""
    if not text.lstrip().startswith("#"):
        return 0
    length = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.startswith("#"):
            break
        length += len(line)
    return length


def _extra(text: str, found: Sequence[Run], language: str) -> Iterator[str]:
    idle = function_words(language)
    for each in identifiers(text):
        if not idle.intersection(each.apart):
            yield each.text
    for first, second in pairwise(found):
        if names_together(text, first, second):
            pair = folded(first.text), folded(second.text)
            if not idle.intersection(pair):
                yield "".join(pair)
    for run in found:
        if run.kind == "word":
            yield from _other_words(run, text, idle)
        elif len(parts := syllables(run.text)) > 1:
            yield from map(folded, parts)


def _other_words(run: Run, text: str, idle: frozenset[str]) -> Iterator[str]:
    word = folded(run.text)
    if word in idle and is_acronym(run, text):
        yield acronym(word)
    if not run.text.isascii():
        yield from hebrew_forms(word)


def is_acronym(run: Run, text: str) -> bool:
    """Whether a word has capitals only where its text has others: "IT" is not "it"."""
    return (
        run.kind == "word"
        and 1 < len(run.text) <= _MAX_ACRONYM
        and run.text.isupper()
        and (not text.isupper() or text.strip() == run.text)
    )


def acronym(word: str) -> str:
    """The term of an acronym that is written like a function word."""
    return f"\u00b7{word}"


def names_together(text: str, first: Run, second: Run) -> bool:
    """Whether two runs are capitalised words side by side, such as "Anna Lind"."""
    return (
        first.text[0].isupper()
        and second.text[0].isupper()
        and second.start - first.end == 1
        and text[first.end] == " "
        and first.text.isalpha()
        and second.text.isalpha()
    )


def _know(
    known: dict[tuple[str, str], int], text: str, found: Iterable[Run], language: str
) -> None:
    for run in found:
        if run.kind == "word" and _MIN_KNOWN <= len(run.text) <= _MAX_KNOWN and run.text.isalpha():
            entry = folded(run.text), stem(run.text, language)
            known[entry] = known.get(entry, 0) | _flag(text, run, language)
            if language in COMPOUNDING:
                # The end of a compound is looked for without its ending.
                known.setdefault((entry[1], entry[1]), 0)


def _flag(text: str, run: Run, language: str) -> int:
    if not run.text[0].isupper():
        return LOWER_CASE
    before = text[max(0, run.start - 2) : run.start]
    within = len(before) == 2 and before[1] == " " and (before[0].isalnum() or before[0] in ",;")
    return CAPITALISED if within and language not in CAPITALISED_NOUNS else 0
