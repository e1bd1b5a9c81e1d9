"""The sentences of several texts that share most with a question. Pure."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversation.language.choosing.table_lines import QuotableRow, quotable_rows, tables_in
from conversation.language.telling_words import telling_words
from kb.words.sentences import split_sentences

MIN_SCORE = 0.34
"""Share of the question's weight that a sentence must hold to be an answer."""
_SHARE_OF_BEST = 0.7
_CONTEXT_WEIGHT = 0.2
_SHORTEST_WORDS = 3


@dataclass(frozen=True, slots=True)
class QuotableSentence:
    """A sentence that can be quoted."""

    document: str
    text: str
    """On one line, without marks of headings and lists; rows with the names of their columns."""
    words: frozenset[str]
    position: int
    row: QuotableRow | None = None
    """Set for a row of a table."""
    place: int = 0
    """Number of the text that it stands in."""


def quotable_sentences(texts: Iterable[tuple[str, str]]) -> list[QuotableSentence]:
    """Each sentence and each row of texts, given with the names of their documents, once."""
    found: list[QuotableSentence] = []
    seen: set[str] = set()
    for place, (document, text) in enumerate(texts):
        for plain, words, row in _quotable(text):
            if plain not in seen:
                seen.add(plain)
                found.append(QuotableSentence(document, plain, words, len(found), row, place))
    return found


def _quotable(text: str) -> list[tuple[str, frozenset[str], QuotableRow | None]]:
    """Sentences and rows of one text in order, each with its telling words."""
    placed: list[tuple[int, str, frozenset[str], QuotableRow | None]] = [
        (row.start, row.text, row.words, row) for row in quotable_rows(text)
    ]
    in_tables = [(line.start, line.end) for table in tables_in(text) for line in table]
    for sentence in split_sentences(text):
        plain = " ".join(sentence.text.lstrip("#>* ").split())
        if len(plain.split()) < _SHORTEST_WORDS:
            continue
        at = bisect_right(in_tables, (sentence.start, len(text)))
        if at == 0 or sentence.start >= in_tables[at - 1][1]:
            placed.append((sentence.start, plain, telling_words(plain), None))
    return [found[1:] for found in sorted(placed, key=lambda found: found[0])]


def best_sentences(
    candidates: Sequence[QuotableSentence],
    query: frozenset[str],
    context: frozenset[str],
    *,
    most: int,
) -> list[QuotableSentence]:
    """Up to `most` sentences in reading order, or none when nothing fits.

    A sentence scores the share of the question's telling words that it holds, rare words counting
    more.

    Args:
        candidates: To choose from.
        query: Telling words of the question.
        context: Those of the turn before, which decide between sentences that fit alike.
        most: How many.
    """
    frequency = Counter(word for candidate in candidates for word in candidate.words)

    def weight(words: frozenset[str]) -> float:
        return sum(math.log(1 + len(candidates) / (1 + frequency[word])) for word in words)

    total = weight(query)
    if not total:
        return []
    scored: list[tuple[float, float, QuotableSentence]] = []
    for candidate in _that_are_named(candidates, query):
        share = weight(query & candidate.words) / total
        if share >= MIN_SCORE:
            in_context = _CONTEXT_WEIGHT * weight(context & candidate.words) / total
            scored.append((share, in_context, candidate))
    if not scored:
        return []
    scored.sort(key=lambda item: (-(item[0] + item[1]), item[2].position))
    best = scored[0][0] + scored[0][1]
    chosen = [item[2] for item in scored[:most] if item[0] + item[1] >= _SHARE_OF_BEST * best]
    return sorted(chosen, key=lambda candidate: candidate.position)


def _that_are_named(
    candidates: Sequence[QuotableSentence], query: frozenset[str]
) -> list[QuotableSentence]:
    """Leave out rows of tables that the question does not name.

    A row is named by a word that not every row has. Where the whole first cell of a row is named,
    its neighbours are not meant, whatever else they share with the question.
    """
    labelled = {
        (each.place, each.row.table)
        for each in candidates
        if each.row and each.row.label_words and each.row.label_words <= query
    }

    def is_meant(row: QuotableRow, place: int) -> bool:
        if (place, row.table) in labelled:
            return bool(row.label_words) and row.label_words <= query
        return bool(row.own_words & query)

    return [each for each in candidates if each.row is None or is_meant(each.row, each.place)]
