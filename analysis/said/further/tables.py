"""What whole numbers are called in a further language, as CLDR spells them. Pure."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from kb.words.number_names import spelt
from kb.words.spelling import folded

_SMALL = (*range(1_000), *range(1_000, 10_000, 100), *range(10_000, 101_000, 1_000))
_THOUSAND = 1_000
_LINKS = {"it": "e", "pt": "e", "nl": "en", "sv": "och", "pl": "i", "ru": "и"}
_BARE_THOUSANDS = {
    "pl": ("tysiac",),
    "ru": ("тысяча", "тысячу"),
    "sv": ("tusen",),
    "it": ("mille",),
}
"""One thousand without its one, where CLDR spells the one."""
_BARE_HUNDREDS = {"sv": "hundra"}


class Names(NamedTuple):
    """The numbers of a language."""

    values: Mapping[str, int]
    """By their folded words, joined by single spaces."""
    parts: frozenset[str]
    """Every word that one of them has."""
    links: frozenset[str]
    """Words that bind two parts together."""


@lru_cache(maxsize=16)
def names_of(language: str) -> Names:
    """Return the numbers of a language from nought to 999, and the rounder ones above."""
    values: dict[str, int] = {}
    for number, form in spelt(language, _SMALL):
        words = folded(form).replace("-", " ")
        values.setdefault(words, number)
    hundred = _BARE_HUNDREDS.get(language)
    if hundred:
        for words, number in [*values.items()]:
            if 0 < number < 100:
                values.setdefault(f"{hundred} {words}", 100 + number)
                values.setdefault(f"{hundred}{words}", 100 + number)
        values.setdefault(hundred, 100)
    for bare in _BARE_THOUSANDS.get(language, ()):
        values.setdefault(folded(bare), _THOUSAND)
    links = frozenset({_LINKS[language]}) if language in _LINKS else frozenset[str]()
    parts = frozenset(part for words in values for part in words.split()) - links
    return Names(values, parts, links)


@lru_cache(maxsize=4_096)
def value_of(words: str, language: str) -> int | None:
    """Return the number that folded words are as a whole: `mil e quinhentos` is 1,500."""
    names = names_of(language)
    if words in names.values:
        return names.values[words]
    split = words.split()
    for cut in range(1, len(split)):
        high = names.values.get(" ".join(split[:cut]), 0)
        rest = split[cut:]
        if rest[0] in names.links:
            rest = rest[1:]
        low = names.values.get(" ".join(rest), 0)
        if high >= _THOUSAND and high % _THOUSAND == 0 and 0 < low < _THOUSAND:
            return high + low
    return None
