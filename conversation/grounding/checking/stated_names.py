"""Names in an answer, as far as writing shows them: capitals inside of a sentence. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from conversation.grounding.checking.words_of_language import currency_codes, words_of_language
from conversation.language.telling_words import stem
from kb.words.languages import CAPITALISED_NOUNS, DEFAULT
from kb.words.spelling import folded

_WORD = re.compile(r"(?<![\d_])[^\W\d_]++(?>(?:['\u2019-][^\W\d_]++)*)(?![\d_])")
_OPENS = frozenset(".!?:;\u2026\"'\u201c\u201e\u00ab\u2018([*\u2022\u00bf\u00a1\n-\u2013\u2014")
_SHORTEST = 2
_AS_NAME = "\u00b7"
"""Before a word that a text writes with a capital, among its stems."""
_MIN_ROOT = 3
_ROOT_SHARE = 0.6
_LONGEST_ENDING = 4
_UNINFLECTED = frozenset({"de", "en", "es", "fr", "it", "nl", "pt", "da", "sv", "nb", "no", "vi"})
"""Languages that leave names as they are, but for an s."""


def names_in(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int, str]]:
    """Words of `text[start:end]` that are written as names: place and stem.

    The first word of a sentence is one only where a capital stands inside of it. Scripts without
    capitals show no names, and languages with capitals on every noun show none either.
    """
    capitals_tell = language.partition("-")[0].casefold() not in CAPITALISED_NOUNS
    words = words_of_language(language)
    for found in _WORD.finditer(text, start, end):
        word = found.group()
        if len(word) < _SHORTEST or not any(map(str.isupper, word)):
            continue
        if word[1:].islower() and (not capitals_tell or _opens_sentence(text, found.start())):
            continue
        plain = word.casefold()
        if plain in words.months or plain in words.weekdays or word in currency_codes():
            continue
        if "'" in word or "\u2019" in word:
            plain = re.split("['\u2019]", plain)[0]
        if len(plain) >= _SHORTEST:
            yield found.start(), found.end(), plain


def stems(text: str, language: str = DEFAULT) -> frozenset[str]:
    """Every word of `text`, and every part of one with a hyphen, as names are compared.

    Args:
        text: Of any length.
        language: Whose endings are left out: a name has some in Russian and in Polish.
    """
    written = {match.group() for match in _WORD.finditer(text)}
    found = {word.casefold() for word in written}
    found |= {part for word in found for part in re.split("['\u2019-]", word)}
    held = {stem(word, language) for word in found if word}
    if language.partition("-")[0] not in _UNINFLECTED:
        held |= {_AS_NAME + folded(word) for word in written if word[0].isupper()}
    return frozenset(held)


def is_known(name: str, known: frozenset[str], language: str = DEFAULT) -> bool:
    """Whether a name, or each of its parts, is among words of the same language.

    Names have other endings in other cases, which stemmers know of few: "Praha" is "v Praze".
    """
    if stem(name, language) in known:
        return True
    if all(stem(part, language) in known for part in name.split("-")):
        return True
    names = [word[1:] for word in known if word.startswith(_AS_NAME)]
    return bool(names) and all(is_inflected(part, names) for part in name.split("-"))


def is_inflected(name: str, others: Iterable[str]) -> bool:
    """Whether a name begins as one of `others` does, and what comes after is short in both."""
    plain = _letters(name)
    for other in map(_letters, others):
        root = 0
        for one, two in zip(plain, other, strict=False):
            if one != two:
                break
            root += 1
        longest = max(len(plain), len(other)) - root
        needed = max(_MIN_ROOT, _ROOT_SHARE * min(len(plain), len(other)))
        if root >= needed and longest <= _LONGEST_ENDING:
            return True
    return False


def _letters(word: str) -> str:
    """A folded word with the letters that syllables of Korean are made of."""
    return unicodedata.normalize("NFD", folded(word))


def _opens_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t")[-1:]
    return not before or before in _OPENS
