"""What was said -> weighted terms of one version of the index, and which must not be missed."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kb.index.catalog import Catalog
from kb.index.catalog_words import index_languages
from kb.retrieval.known_words import (
    compounds_beginning,
    compounds_ending,
    is_name,
    near_words,
    parts_of,
)
from kb.retrieval.lexical import TermCounts
from kb.retrieval.query import WeightedText
from kb.retrieval.relevance import WordQuery
from kb.words.asking import AskedIdentifier, AskedWord, AskedWords, ask
from kb.words.languages import COMPOUNDING, function_words
from kb.words.spelling import respelt

_MISSPELT_SHARE = 0.8
"""What a match counts when a letter differs, and nothing is written just so."""
_PART_SHARE = 0.5
"""What a part of a compound counts for the whole, and a longer compound for its beginning."""
_KIND_SHARE = 0.8
"""What a compound counts for the word that it ends in: a "Bearbeitungsgebühr" is a "Gebühr"."""
_SYLLABLES_SHARE = 0.25
"""What two syllables that no chunk has count towards a full match: they may be parts of two words
that nobody would write side by side otherwise."""
_FEW_CHUNKS = 8
"""An identifier that is in more chunks than this, as one in a title, points at none of them."""
_FEW_NAMED = 2
_MAX_CORRECTED = 6
"""More strange words than this are another language, or no words."""
_MAX_KEPT_TURNS = 2_000
_MIN_LANGUAGE_SHARE = 0.01
_MAX_LANGUAGES = 8


@dataclass(slots=True)
class _Terms:
    """What a `WordQuery` is made of."""

    weights: dict[str, float] = field(default_factory=dict[str, float])
    rarity: dict[str, float] = field(default_factory=dict[str, float])
    forms: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    unheard_shares: dict[str, float] = field(default_factory=dict[str, float])


class Reading:
    """Reads turns in the languages of one version of the index."""

    def __init__(self, catalog: Catalog, *, unheard_share: float) -> None:
        """Read as the index of `catalog` is now."""
        self._catalog = catalog
        self._unheard_share = unheard_share
        self._languages = _spoken(index_languages(catalog.connection))
        self._counts = TermCounts(chunk_count=catalog.live_count())
        self._asked: dict[str, AskedWords] = {}
        self._near_held: dict[str, list[tuple[str, str]]] = {}
        self.idle_terms = frozenset(
            term
            for language in self._languages
            for asked in ask(" ".join(function_words(language)), [language]).words
            for term in asked.terms
        )
        """Function words of all languages of the index."""

    def asked(self, text: str) -> AskedWords:
        """A turn, read once."""
        held = self._asked.get(text)
        if held is None:
            if len(self._asked) > _MAX_KEPT_TURNS:
                self._asked = {}
            held = self._asked[text] = ask(text, self._languages)
        return held

    def query(self, texts: Sequence[WeightedText]) -> WordQuery:
        """The words of turns, the query first; only there misspelt words are looked up."""
        terms = _Terms()
        read = [self.asked(said.text) for said in texts]
        self._counts.read(self._catalog.connection, _all_terms(read))
        for place, (said, asked) in enumerate(zip(texts, read, strict=True)):
            for word in asked.words:
                self._take_word(terms, word, said.weight, is_query=place == 0)
            for each in self._told_apart(asked.identifiers):
                self._take_spelling(terms, each.term, said.weight)
            for first, second in asked.pairs:
                # "wi fi" where the documents write "wifi".
                if not self._count(first) or not self._count(second):
                    self._take_spelling(terms, first + second, said.weight)
        return WordQuery(
            terms.weights,
            terms.rarity,
            unheard_rarity=self._unheard_share * self._counts.highest,
            forms=terms.forms,
            unheard_shares=terms.unheard_shares,
        )

    def exact(self, text: str) -> dict[str, float]:
        """Rarity of each identifier and name of a turn that few chunks hold, rarest first."""
        connection, asked = self._catalog.connection, self.asked(text)
        found: dict[str, float] = {}
        for each in self._told_apart([each for each in asked.identifiers if each.is_exact]):
            self._promise(found, each.term, at_most=_FEW_CHUNKS)
        names = {
            word.surface
            for word in asked.words
            if not word.is_idle and word.surface.isalpha() and is_name(connection, word.surface)
        }
        for first, second in asked.pairs:
            if first in names and second in names:
                self._promise(found, first + second, at_most=_FEW_NAMED)
        for word in asked.words:
            if word.surface in names:
                self._promise(found, word.terms[0], at_most=_FEW_NAMED)
        return dict(sorted(found.items(), key=lambda held: -held[1]))

    def corrected(self, text: str) -> str:
        """The words of a turn as the documents write them, where hardly one of them is known.

        A model of meaning makes little of misspelt words. One strange word among others stays as
        it is: the others tell what is meant, and it may be right.
        """
        words = [word for word in self.asked(text).words if not word.is_idle]
        strange = [word for word in words if not any(map(self._count, word.terms))]
        if len(strange) > _MAX_CORRECTED or 2 * len(strange) < len(words):
            return text
        meant = {word.surface: self._near_words(word) for word in strange}
        known = {surface: near[0][0] for surface, near in meant.items() if near}
        return respelt(text, known) if known else text

    def rarities(self, terms: Iterable[str]) -> dict[str, float]:
        """Rarity of terms that the index has."""
        return self._counts.rarities(self._catalog.connection, terms, idle=self.idle_terms)

    def terms_to_search(self, query: WordQuery, *, max_terms: int) -> list[tuple[str, int]]:
        """Terms of the most telling words with the number of chunks that hold each."""
        return [
            (term, count)
            for stem in list(query.worth)[:max_terms]
            for term in (stem, *query.forms.get(stem, ()))
            if (count := self._count(term))
        ]

    def _count(self, term: str) -> int:
        return self._counts.count(self._catalog.connection, term)

    def _promise(self, found: dict[str, float], term: str, *, at_most: int) -> None:
        if 0 < (count := self._count(term)) <= at_most:
            found[term] = self._counts.rarity(count)

    def _take_word(self, terms: _Terms, word: AskedWord, weight: float, *, is_query: bool) -> None:
        head = word.terms[0]
        if head in terms.weights:
            terms.weights[head] = max(terms.weights[head], weight)
            return
        terms.weights[head] = weight
        others = {term: 1.0 for term in word.terms[1:] if self._count(term)}
        count = max(map(self._count, word.terms))
        if is_query and not word.is_idle and word.surface.isalpha():
            near = self._near(self._catalog.connection, word, is_known=count > 0)
            others = {**near, **others}
            others.pop(head, None)
            count = count or max(map(self._count, near), default=0)
        if count:
            terms.rarity[head] = self._counts.rarity(count, is_idle=word.is_idle)
        if word.is_syllables:
            terms.unheard_shares[head] = _SYLLABLES_SHARE
        if others:
            terms.forms[head] = others

    def _take_spelling(self, terms: _Terms, term: str, weight: float) -> None:
        if term not in terms.weights and (count := self._count(term)):
            terms.weights[term] = weight
            terms.rarity[term] = self._counts.rarity(count)

    def _near(
        self, connection: sqlite3.Connection, word: AskedWord, *, is_known: bool
    ) -> dict[str, float]:
        """Terms beside those of a word that it may mean, with what they count."""
        found: dict[str, float] = {}
        if COMPOUNDING.intersection(self._languages):
            for surface in (word.surface, *word.spellings):
                parts = parts_of(connection, surface)
                longer = compounds_beginning(connection, surface, word.terms[0])
                kinds = compounds_ending(connection, surface, word.terms[0])
                found |= dict.fromkeys((*parts, *longer), _PART_SHARE)
                found |= dict.fromkeys(kinds, _KIND_SHARE)
        if not is_known and not found:
            near = self._near_words(word)
            found = dict.fromkeys((term for _, term in near), _MISSPELT_SHARE)
        return {term: share for term, share in found.items() if self._count(term)}

    def _near_words(self, word: AskedWord) -> list[tuple[str, str]]:
        surface = word.surface
        held = self._near_held.get(surface)
        if held is None:
            if len(self._near_held) > _MAX_KEPT_TURNS:
                self._near_held = {}
            near = near_words(self._catalog.connection, surface, word.terms[0])
            # "many" is no slip for "any".
            held = [(known, term) for known, term in near if term not in self.idle_terms]
            self._near_held[surface] = held
        return held

    def _told_apart(self, found: Sequence[AskedIdentifier]) -> list[AskedIdentifier]:
        """Of each place, the longest reading that the index has."""
        kept: list[AskedIdentifier] = []
        for each in sorted(found, key=lambda each: (-len(each.term), each.start)):
            free = all(each.end <= other.start or each.start >= other.end for other in kept)
            if free and self._count(each.term):
                kept.append(each)
        return kept


def _all_terms(read: Iterable[AskedWords]) -> Iterator[str]:
    for asked in read:
        yield from (term for word in asked.words for term in word.terms)
        yield from (each.term for each in asked.identifiers)
        for pair in asked.pairs:
            yield from (*pair, "".join(pair))


def _spoken(counts: Mapping[str, int]) -> list[str]:
    """The languages that enough chunks are in to be looked for, the commonest first."""
    least = _MIN_LANGUAGE_SHARE * sum(counts.values())
    return [language for language, count in counts.items() if count >= least][:_MAX_LANGUAGES]
