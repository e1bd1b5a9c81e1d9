"""Days of the week and months that a text names, in any case and number. Pure.

`stated_values` reads exact names, since what it finds is held against an answer word by word;
"on Tuesdays", "dienstags" and "по вторникам" name a day too.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from conversation.grounding.checking.naming import days_in
from conversation.grounding.checking.words_of_language import words_of_language
from conversation.language.telling_words import stem
from kb.words.spelling import MARKS

_SHORTEST_NAME = 4
"""Letters: shorter ones are other words too (may, mai, sun, so)."""
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{MARKS}])*")
_HAN_DAY = re.compile(
    "(?:星期|礼拜|禮拜|周|週)(?P<chinese>[一二三四五六日天])|(?P<japanese>[月火水木金土日])曜"
)
_CHINESE = {sign: day for day, sign in enumerate("一二三四五六日")} | {"天": 6}
_JAPANESE = {sign: day for day, sign in enumerate("月火水木金土日")}


@lru_cache(maxsize=2_048)
def named_dates(text: str, language: str) -> frozenset[str]:
    """`w:0` for Monday to `w:6`, `m:1` for January to `m:12`; days within a range are named too.

    Args:
        text: A sentence or a part of a passage.
        language: Whose names are known, beside those of English.
    """
    names = _names(language)
    found = {names[key] for word in _WORD.findall(text) if (key := _key(word, language)) in names}
    for match in _HAN_DAY.finditer(text):
        chinese, japanese = match.group("chinese", "japanese")
        found.add(f"w:{_CHINESE[chinese] if chinese else _JAPANESE[japanese]}")
    return frozenset(found | {f"w:{day}" for day in days_in(text, language)})


@lru_cache(maxsize=64)
def _names(language: str) -> Mapping[str, str]:
    words = words_of_language(language)
    months = {name: f"m:{number}" for name, number in words.months.items()}
    days = {name: f"w:{number}" for name, number in words.weekdays.items()}
    return {
        _key(name, language): said
        for name, said in (months | days).items()
        if len(name) >= _SHORTEST_NAME and _WORD.fullmatch(name)
    }


def _key(word: str, language: str) -> str:
    plain = word.casefold()
    # German says "dienstags" of every Tuesday, which no stemmer takes for the day.
    return stem(plain.removesuffix("s"), language)
