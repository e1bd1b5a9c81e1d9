"""Which further language a few words are in, as far as reading their numbers needs it. Pure."""

import re
from functools import lru_cache
from typing import Literal

from analysis.said.language import language_of
from analysis.said.number_words import is_read
from kb.words.languages import function_words
from kb.words.spelling import folded

FurtherLanguage = Literal["it", "pt", "nl", "sv", "pl", "tr", "ru", "ko", "hi"]
LATIN: tuple[FurtherLanguage, ...] = ("it", "pt", "nl", "sv", "pl", "tr")
"""Those in Latin letters."""
_READ_ELSEWHERE = ("en", "de", "fr", "es")
_RIVALS = (*_READ_ELSEWHERE, "da", "nb", "ro", "ca", "cs")
_EVERYWHERE = frozenset({"euro", "euros"})
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS: tuple[tuple[FurtherLanguage, re.Pattern[str]], ...] = (
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)
_NOT_RUSSIAN = re.compile("[іїєґўјљњћђџѓќѕ]", re.IGNORECASE)


@lru_cache(maxsize=2_048)
def languages_told(text: str) -> tuple[tuple[FurtherLanguage, ...], bool]:
    """Return the further languages that a text may be in, and whether its words say so.

    None where more of its small words are of another language. Without small words each is
    possible, and only numbers that are words of no other language can be read.
    """
    for language, script in _SCRIPTS:
        if script.search(text):
            is_other = language == "ru" and _NOT_RUSSIAN.search(text)
            return ((), False) if is_other else ((language,), True)
    said = [word.casefold() for word in _WORD.findall(text)]
    # "One" is a small word of Polish, and "sei" of German.
    words = {folded(word) for word in said if not is_read(word) and word not in _EVERYWHERE}
    votes = {
        language: sum(word in function_words(language) for word in words)
        for language in (*LATIN, *_RIVALS)
    }
    most = max(votes.values())
    if most == 0:
        return (LATIN, False) if language_of(" ".join(words)) is None else ((), False)
    leading: tuple[FurtherLanguage, ...] = tuple(each for each in LATIN if votes[each] == most)
    rivals = max(votes[language] for language in _RIVALS)
    if most > rivals and len(leading) == 1:
        return leading, True
    # Short texts share their small words: "o" is Italian, Portuguese and Spanish.
    return (leading, False) if language_of(" ".join(words)) is None else ((), False)
