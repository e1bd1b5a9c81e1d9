"""What listeners say without taking the turn, and how digits are said, by language.

The words themselves stand in `short_answers.toml`.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def words_of(text: str) -> list[str]:
    """The words of `text` without case and punctuation; scripts keep their marks."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    return _WORD.findall("".join(map(_kept, plain)))


def _kept(char: str) -> str:
    # Vowel signs of Indic scripts are marks: a pattern of word characters would cut at them.
    return "" if unicodedata.category(char) in ("Mn", "Mc") else char


@lru_cache(maxsize=64)
def ignored_terms(
    language: str, own: tuple[str, ...] = (), *, with_usual: bool = True
) -> frozenset[tuple[str, ...]]:
    """What does not take the turn when it is said alone, as words.

    Args:
        language: Of the conversation, e.g. `en` or `pt-BR`; of an unknown one only `own` counts.
        own: Of the agent.
        with_usual: Whether the terms of the language count as well.
    """
    base = language.partition("-")[0].lower()
    usual = _words_by_language()["ignored"].get(base, []) if with_usual else []
    terms = (tuple(words_of(term)) for term in (*usual, *own))
    return frozenset(term for term in terms if term)


def likely_answers(language: str) -> tuple[str, ...]:
    """Short answers that a transcriber has to be told of, as it would write them."""
    return tuple(_words_by_language()["likely"].get(language.partition("-")[0].lower(), ()))


def compared_answers(language: str) -> tuple[str, ...]:
    """Short answers that a sound is compared with; empty for a language where nobody measured."""
    return tuple(_words_by_language()["compared"].get(language.partition("-")[0].lower(), ()))


def is_short_answer(text: str, terms: Collection[tuple[str, ...]]) -> bool:
    """Whether `text` is made of `terms` alone, in any number and order. Nothing said is not."""
    words = words_of(text)
    if not words or not terms:
        return False
    longest = max(len(term) for term in terms)
    reached = [True] + [False] * len(words)
    for end in range(1, len(words) + 1):
        reached[end] = any(
            reached[end - size] and _is_term(words[end - size : end], terms)
            for size in range(1, min(longest, end) + 1)
        )
    return reached[-1]


def _is_term(words: list[str], terms: Collection[tuple[str, ...]]) -> bool:
    if tuple(words) in terms:
        return True
    word = words[0]
    if len(words) > 1 or not _WITHOUT_SPACES.search(word) or len(word) > 40:
        return False
    singles = {term[0] for term in terms if len(term) == 1}
    reached = [True] + [False] * len(word)
    for end in range(1, len(word) + 1):
        reached[end] = any(
            reached[end - len(each)] for each in singles if word.endswith(each, 0, end)
        )
    return reached[-1]


@lru_cache(maxsize=32)
def digit_words(language: str) -> frozenset[str]:
    """How single digits are said; empty for a language that is not known here."""
    base = language.partition("-")[0].lower()
    return frozenset(words_of(" ".join(_words_by_language()["digits"].get(base, []))))


@lru_cache(maxsize=1)
def _words_by_language() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(
        files("conversation.voice.turns").joinpath("short_answers.toml").read_text("utf-8")
    )
