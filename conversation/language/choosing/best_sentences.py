"""The sentences of several texts that share most with a question. Pure."""

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversation.language.choosing.table_lines import QuotableRow, quotable_rows, tables_in
from conversation.language.telling_words import telling_words
from kb.words.sentences import split_sentences
from kb.words.spelling import SPACELESS

MIN_SCORE = 0.34
"""Share of the question's weight that a sentence must hold to be an answer."""
_SHARE_OF_BEST = 0.7
_CONTEXT_WEIGHT = 0.2
_SHORTEST_WORDS = 3
_UNSEEN_PAIR = 0.5
_SPACELESS = re.compile(SPACELESS)


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


def quotable_sentences(
    texts: Iterable[tuple[str, str]], language: str = "en"
) -> list[QuotableSentence]:
    """Each sentence and each row of texts, given with the names of their documents, once.

    Args:
        texts: Name and text of each document.
        language: In which the words of all of them are read, as those of the question are.
    """
    found: list[QuotableSentence] = []
    seen: set[str] = set()
    for place, (document, text) in enumerate(texts):
        for plain, words, row in _quotable(text, language):
            if plain not in seen:
                seen.add(plain)
                found.append(QuotableSentence(document, plain, words, len(found), row, place))
    return found


def _quotable(text: str, language: str) -> list[tuple[str, frozenset[str], QuotableRow | None]]:
    """Sentences and rows of one text in order, each with its telling words."""
    placed: list[tuple[int, str, frozenset[str], QuotableRow | None]] = [
        (row.start, row.text, row.words, row) for row in quotable_rows(text, language)
    ]
    in_tables = [(line.start, line.end) for table in tables_in(text) for line in table]
    for sentence in split_sentences(text):
        plain = " ".join(sentence.text.lstrip("#>* ").split())
        words = telling_words(plain, language)
        if max(len(plain.split()), len(words)) < _SHORTEST_WORDS:
            continue
        at = bisect_right(in_tables, (sentence.start, len(text)))
        if at == 0 or sentence.start >= in_tables[at - 1][1]:
            placed.append((sentence.start, plain, words, None))
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
        return sum(_weight(word, frequency[word], of=len(candidates)) for word in words)

    total = weight(query)
    if not total:
        return []
    scored: list[tuple[float, float, QuotableSentence]] = []
    for candidate, carried in _that_are_named(candidates, query, context):
        # The name of a row that the turn before said counts as if it were said again.
        asked = query | carried
        share = weight(asked & candidate.words) / weight(asked)
        if share >= MIN_SCORE:
            in_context = _CONTEXT_WEIGHT * weight(context & candidate.words) / total
            scored.append((share, in_context, candidate))
    if not scored:
        return []
    scored.sort(key=lambda item: (-(item[0] + item[1]), item[2].position))
    best = scored[0][0] + scored[0][1]
    chosen = [item[2] for item in scored[:most] if item[0] + item[1] >= _SHARE_OF_BEST * best]
    return sorted(chosen, key=lambda candidate: candidate.position)


def _weight(word: str, frequency: int, *, of: int) -> float:
    """Rare words weigh more; two signs that stand together nowhere are often no word at all."""
    is_pair = len(word) > 1 and not frequency and _SPACELESS.match(word) is not None
    return math.log(1 + of / (1 + frequency)) * (_UNSEEN_PAIR if is_pair else 1.0)


def _that_are_named(
    candidates: Sequence[QuotableSentence], query: frozenset[str], context: frozenset[str]
) -> list[tuple[QuotableSentence, frozenset[str]]]:
    """Leave out rows of tables that the question does not name.

    A row is named by a word that not every row has. Where the whole first cell of a row is named,
    its neighbours are not meant, whatever else they share with the question. A question that names
    no row of a table goes on with the one that the turn before named: "and how many users?". What
    that turn said of its name stands beside the sentence.
    """
    labelled = _labelled(candidates, query)
    carried = _labelled(candidates, query | context) - labelled

    def is_carried(row: QuotableRow) -> bool:
        return bool(row.label_words) and row.label_words <= query | context

    named: list[tuple[QuotableSentence, frozenset[str]]] = []
    for each in candidates:
        row = each.row
        if row is None:
            named.append((each, frozenset()))
        elif (each.place, row.table) in labelled:
            if row.label_words and row.label_words <= query:
                named.append((each, frozenset()))
        elif row.own_words & query:
            named.append((each, frozenset()))
        elif (each.place, row.table) in carried and query & each.words and is_carried(row):
            named.append((each, row.label_words))
    return named


def _labelled(
    candidates: Sequence[QuotableSentence], words: frozenset[str]
) -> set[tuple[int, int]]:
    """The tables of which words name the whole first cell of a row."""
    return {
        (each.place, each.row.table)
        for each in candidates
        if each.row and each.row.label_words and each.row.label_words <= words
    }
