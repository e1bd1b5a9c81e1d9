"""Names of groups of texts, by the words that are typical of them. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from analysis.topics.terms import common_language, has_no_spaces, terms_of, without_parts
from kb.words.languages import DEFAULT

_SAID_EVERYWHERE_LIST = """
    am i'm i'd i'll i've ain't can't could couldn't didn't do does doesn't doing don't dont get
    gets getting going good got great had has have hello help hey hi how's im is it's just know
    let let's like looking make maybe me mind need needs no ok okay oh please question really
    right say see should something sorry sounds sure tell thank thanks that'll that's there's
    thing things think trying use user users using want wanted wants was way well what's where's
    who's will won't would yeah yep yes you're ask asked asks agent conversation
    """
_SAID_EVERYWHERE = frozenset(_SAID_EVERYWHERE_LIST.split())


def typical_words(groups: Sequence[Sequence[str]], *, limit: int = 3) -> list[list[str]]:
    """Return the words and pairs of words that tell each group of texts from the others.

    A word has to be in two texts of a group, or in the only one, so that a name tells of no
    single conversation.

    Source: Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure",
    arXiv 2203.05794 (2022).
    """
    counted = [_word_counts(texts) for texts in groups]
    totals: Counter[str] = Counter()
    for counts in counted:
        totals.update(counts)
    average = sum(totals.values()) / max(1, len(counted))
    names: list[list[str]] = []
    for counts in counted:
        size = max(1, counts.total())
        worth = {
            term: count / size * math.log(1 + average / totals[term]) * (1.5 if " " in term else 1)
            for term, count in counts.items()
        }
        names.append(_without_repeats(sorted(worth, key=lambda term: (-worth[term], term)), limit))
    return names


@cache
def common_words() -> frozenset[str]:
    """Return words that say nothing of what a text is about."""
    from sklearn.feature_extraction.text import (  # pyright: ignore[reportMissingTypeStubs]
        ENGLISH_STOP_WORDS,
    )

    words: frozenset[str] = frozenset(map(str, ENGLISH_STOP_WORDS))
    return words | _SAID_EVERYWHERE


def _word_counts(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each word and pair of neighbouring words is; function words left out."""
    language = common_language(texts)
    if language == DEFAULT:
        counts = _english_counts(texts)
    else:
        counts = Counter(term for text in texts for term in terms_of(text, language))
    least = 2 if len(texts) > 1 else 1
    return without_parts(Counter({term: n for term, n in counts.items() if n >= least}))


def _english_counts(texts: Sequence[str]) -> Counter[str]:
    from sklearn.feature_extraction.text import (  # pyright: ignore[reportMissingTypeStubs]
        CountVectorizer,
    )

    maker: Any = CountVectorizer
    stop = sorted(common_words())
    analyse: Any = maker(
        stop_words=stop,
        ngram_range=(1, 2),
        token_pattern=r"(?u)[^\W\d_][\w'-]+",  # noqa: S106
    ).build_analyzer()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(analyse(text.replace("\u2019", "'"))))
    return counts


def _without_repeats(terms: Sequence[str], limit: int) -> list[str]:
    """Leave out a term whose words were all said by better ones."""
    kept: list[str] = []
    said: set[str] = set()
    for term in terms:
        words = set(term.split())
        if len(kept) < limit and not words <= said and not _is_form_of(words, said):
            kept.append(term)
            said |= words
    return kept


def _is_form_of(words: set[str], said: set[str]) -> bool:
    return all(any(_is_like(word, other) for other in said) for word in words)


def _is_like(word: str, other: str) -> bool:
    if has_no_spaces(word):
        return word in other or other in word
    return word[:5] == other[:5]
