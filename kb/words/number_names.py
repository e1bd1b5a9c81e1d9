# ruff: noqa: RUF001 (zero in Chinese looks like a letter)
"""Single words that are whole numbers, in the languages of Unicode's CLDR. Pure.

The words are those that CLDR's rules spell, in every gender and case that they know: a language
needs no list of its own.
"""

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from kb.words.spelling import MARKS, folded

_SPELT = (*range(2, 100), *range(100, 1_000, 100), 1_000)
_ONE_WORD = re.compile(rf"(?:[^\W\d_]|[{MARKS}])+")
_JOINTS = str.maketrans({"\u00ad": None, "\u200b": None})
_HAN_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5} | {
    "六": 6, "七": 7, "八": 8, "九": 9
}  # fmt: skip
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_HAN_MYRIADS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
HAN_NUMERAL = f"[{''.join((*_HAN_DIGITS, *_HAN_UNITS, *_HAN_MYRIADS))}]+"
"""Pattern of a number in Chinese characters."""


@lru_cache(maxsize=64)
def number_names(language: str) -> Mapping[str, int]:
    """Folded words of a language such as `ru` that are a whole number from 2 to 1,000.

    One is left out: it is an article or a pronoun in most languages. Empty where CLDR spells no
    numbers.
    """
    names: dict[str, int] = {}
    for number, form in spelt(language, _SPELT):
        word = folded(form)
        if _ONE_WORD.fullmatch(word):
            names.setdefault(word, number)
    return names


def spelt(language: str, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Each of `numbers` with each of its spellings, in every gender and case that CLDR knows.

    Nothing where CLDR spells no numbers of the language.
    """
    vendor: Any = importlib.import_module("unicode_rbnf")
    code = {"nb": "no", "iw": "he"}.get(language, language)
    if code not in vendor.RbnfEngine.get_supported_languages():
        return
    engine = vendor.RbnfEngine.for_language(code)
    for number in numbers:
        for form in engine.format_number(number).text_by_ruleset.values():
            yield number, form.translate(_JOINTS)


def han_number(numeral: str) -> int | None:
    """The number that Chinese characters are; None for one, and where no digit says how many.

    `四十五` is 45 and `二〇二六` is 2026; the `千` of "by all means" is no number of anything.
    """
    if not any(sign == "十" or _HAN_DIGITS.get(sign, 0) for sign in numeral):
        return None
    if len(numeral) > 1 and all(sign in _HAN_DIGITS for sign in numeral):
        return int("".join(str(_HAN_DIGITS[sign]) for sign in numeral))
    total = section = digit = 0
    for sign in numeral:
        if sign in _HAN_DIGITS:
            digit = _HAN_DIGITS[sign]
        elif sign in _HAN_UNITS:
            section, digit = section + (digit or 1) * _HAN_UNITS[sign], 0
        else:
            total, section, digit = (total + section + digit) * _HAN_MYRIADS[sign], 0, 0
    number = total + section + digit
    return number if number != 1 else None
