"""What a person said -> the terms that it may stand as in documents of several languages. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from kb.words.identifiers import identifiers
from kb.words.indexing import acronym, hebrew_forms, is_acronym, run_terms
from kb.words.languages import SPELT_OUT, function_words, recognised, stem
from kb.words.spelling import Run, RunKind, folded, respelled, runs

_MIN_SPLIT = 3


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word, or two syllables of a script without spaces."""

    terms: tuple[str, ...]
    """What it may stand as, the likeliest first; never empty."""
    surface: str
    """Folded."""
    is_idle: bool
    """A function word of the language that was spoken."""
    is_syllables: bool = False
    spellings: tuple[str, ...] = ()
    """Folded, as somebody writes it whose keyboard has other letters: "Kuendigung"."""


@dataclass(frozen=True, slots=True)
class AskedIdentifier:
    """One way to read a place of what was said as an identifier."""

    term: str
    start: int
    end: int
    is_exact: bool
    """Whether it names one thing, by itself or by the word before it."""


@dataclass(frozen=True, slots=True)
class AskedWords:
    """Everything to look for in one turn."""

    words: tuple[AskedWord, ...]
    sequences: tuple[tuple[str, ...], ...]
    """Its terms in order, once for each language of the documents."""
    identifiers: tuple[AskedIdentifier, ...]
    pairs: tuple[tuple[str, str], ...]
    """Folded words side by side: names of two words, "wi fi"."""


def ask(text: str, languages: Sequence[str]) -> AskedWords:
    """Read a turn in the languages of the documents, the commonest first."""
    text = respelled(text)
    found = list(runs(text))
    # Where there is one language, nothing hangs on whether it is recognised.
    spoken = recognised(text, among=languages) if len(languages) > 1 else None
    order = (*dict.fromkeys([spoken, *languages]),) if spoken else (*languages,)
    idle = _idle((spoken,) if spoken else order)
    return AskedWords(
        words=tuple(
            word
            for run in found
            for word in (
                _acronym(run)
                if is_acronym(run, text) and folded(run.text) in idle
                else _words(run.text, run.kind, order, idle)
            )
        ),
        sequences=tuple(
            tuple(term for run in found for term in run_terms(run, language))
            for language in languages
        ),
        identifiers=tuple(_identifiers(text, idle)),
        pairs=tuple(_pairs(text, found, idle)),
    )


@lru_cache(maxsize=64)
def _idle(languages: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*map(function_words, languages))


def _acronym(run: Run) -> tuple[AskedWord, ...]:
    surface = folded(run.text)
    return (AskedWord((acronym(surface),), surface, False),)


@lru_cache(maxsize=20_000)
def _words(
    text: str, kind: RunKind, languages: tuple[str, ...], idle: frozenset[str]
) -> tuple[AskedWord, ...]:
    """What a run may stand as; most words of a conversation are said many times."""
    if kind == "syllables":
        parts = run_terms(Run(text, kind, 0, len(text)), "")
        return tuple(AskedWord((term,), term, term in idle, True) for term in parts)
    surface = folded(text)
    forms = [stem(text, language) for language in languages] or [surface]
    others = [(word, each) for each in languages for word in _spelt_otherwise(text, each)]
    forms += [*hebrew_forms(surface), *(stem(word, each) for word, each in others)]
    terms = tuple(dict.fromkeys(form for form in forms if form))
    spellings = tuple(dict.fromkeys(folded(word) for word, _ in others))
    return (AskedWord(terms, surface, surface in idle, spellings=spellings),) if terms else ()


def _spelt_otherwise(word: str, language: str) -> Iterator[str]:
    """A word with all such letters put in, and with all of them spelt out."""
    word = word.casefold()
    pairs = SPELT_OUT.get(language, ())
    put_in, spelt_out = word, word
    for two, letter in pairs:
        put_in, spelt_out = put_in.replace(two, letter), spelt_out.replace(letter, two)
    yield from (made for made in (put_in, spelt_out) if made != word)


def _identifiers(text: str, idle: frozenset[str]) -> list[AskedIdentifier]:
    usable = [each for each in identifiers(text) if not idle.intersection(each.apart)]
    named = {each.end for each in usable if each.is_exact and not each.text[0].isdigit()}
    return [
        # "41" of "article 41" names something too, where the document writes "Art. 41".
        AskedIdentifier(each.text, each.start, each.end, each.is_exact or each.end in named)
        for each in usable
    ]


def _pairs(text: str, found: Sequence[Run], idle: frozenset[str]) -> list[tuple[str, str]]:
    words = [
        word if run.kind == "word" and (word := folded(run.text)) not in idle else ""
        for run in found
    ]
    return [
        (one, other)
        for (first, one), (second, other) in pairwise(zip(found, words, strict=True))
        if one.isalpha() and other.isalpha() and text[first.end : second.start] == " "
    ]
