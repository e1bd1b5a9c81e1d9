"""One or several of the same thing: `coffee` and `two coffees`. Pure.

A name is no plural of another (`William`, `Williams`): a word that is written large counts as
inflected only behind a number.
"""

import re
import unicodedata
from collections.abc import Set

from analysis.said.language import Language

_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")
_ENDINGS: dict[Language, tuple[str, ...]] = {
    "en": (),
    "de": ("n", "en", "e", "er", "s"),
    "fr": ("s", "x"),
    "es": ("s", "es"),
}
_HISSING = re.compile(r"(?:[sxzo]|ch|sh)$")
_MIN_STEM_CHARS = 3
_MOST_WORDS = 12
_MOST_SPACES = 8


def inflected_words(
    text: str, value: str, language: Language, *, number_ends: Set[int]
) -> str | None:
    """Return the words of `text` that are `value` in another number, or None.

    Args:
        text: What was said.
        value: What is claimed.
        language: Of the text.
        number_ends: Where the numbers end that `text` names.
    """
    wanted = [found.group() for found in _WORD.finditer(value)]
    said = list(_WORD.finditer(text))
    if not wanted or len(wanted) > _MOST_WORDS or any(map(_is_mark, value)):
        # A pattern takes the vowel signs of Indian scripts for the ends of words.
        return None
    for index in range(len(said) - len(wanted) + 1):
        window = said[index : index + len(wanted)]
        between = text[window[0].start() : window[-1].end()]
        counted = window[0].start() - _spaces_before(text, window[0].start()) in number_ends
        alike = all(
            _same_thing(found.group(), word, language, counted=counted)
            for found, word in zip(window, wanted, strict=True)
        )
        around = text[max(0, window[0].start() - 1) : window[0].start()]
        around += text[window[-1].end() : window[-1].end() + 1]
        if any(map(_is_mark, around)):
            continue
        tied = re.match(r"\d[.,]", text[max(0, window[0].start() - 2) : window[0].start()])
        if alike and not tied and "-" not in around and not re.search(r"[.;:!?]", between):
            return between
    return None


def _spaces_before(text: str, at: int) -> int:
    before = text[max(0, at - _MOST_SPACES) : at]
    return len(before) - len(before.rstrip())


def _same_thing(said: str, wanted: str, language: Language, *, counted: bool) -> bool:
    first, second = said.casefold(), wanted.casefold()
    if first == second:
        return True
    is_noun = counted or (said.islower() and wanted.islower())
    if not is_noun or not (first.isalpha() and second.isalpha()):
        return False
    return any(
        _is_plural(plural, single, language)
        for plural, single in ((first, second), (second, first))
    )


def _is_plural(plural: str, single: str, language: Language) -> bool:
    if len(single) < _MIN_STEM_CHARS:
        return False
    if language == "en":
        if single.endswith("y"):
            return plural == f"{single[:-1]}ies"
        return plural == single + ("es" if _HISSING.search(single) else "s")
    if language == "de":
        changed = _without_umlauts(plural)
        plural, single = changed, _without_umlauts(single) if changed != plural else single
        if changed == single:
            return True
    return any(plural == single + ending for ending in _ENDINGS[language])


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _without_umlauts(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(char for char in decomposed if not unicodedata.combining(char))
