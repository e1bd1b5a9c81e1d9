"""The sentences of several texts that share most with a question. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversation.language.sentences import split_sentences
from conversation.language.telling_words import telling_words

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
    """On one line, without marks of headings and lists."""
    words: frozenset[str]
    position: int


def quotable_sentences(texts: Iterable[tuple[str, str]]) -> list[QuotableSentence]:
    """Each sentence of texts, given with the names of their documents, once."""
    found: list[QuotableSentence] = []
    seen: set[str] = set()
    for document, text in texts:
        for sentence in split_sentences(text):
            plain = " ".join(sentence.text.lstrip("#>* ").split())
            if len(plain.split()) >= _SHORTEST_WORDS and plain not in seen:
                seen.add(plain)
                found.append(QuotableSentence(document, plain, telling_words(plain), len(found)))
    return found


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
    for candidate in candidates:
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
