# ruff: noqa: RUF001 (signs of other scripts are looked for here)
"""Numbers, prices, times, dates, percentages and codes of a text, in forms that can be compared.

Digits of every script count, and a number that can be read in two ways (`1.500`) has both forms.
Pure, and linear in the length of the text.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from conversation.grounding.checking.numerals import forms_of_number
from conversation.grounding.checking.words_of_language import (
    LanguageWords,
    currency_codes,
    currency_symbol,
    words_of_language,
)
from conversation.language.number_words import number_in_words

PERCENT = "%"

_SPACE = "[ \u00a0\u202f\u2009]"
_LETTERS = r"0-9A-Za-z_\u00c0-\u024f\u0370-\u052f"
"""Of scripts with spaces between their words: in others a number stands against any word."""
_CODE = (
    r"https?://[^\s<>\"|]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![{_LETTERS}.])(?=[{_LETTERS}.#/+-]*\d)[^\W\d_](?<=[{_LETTERS}])[{_LETTERS}]*"
    rf"(?:[.#/+-][{_LETTERS}]+)*|(?<![{_LETTERS}.])[{_LETTERS}]+_[{_LETTERS}]+"
    r"|(?<![\w.])(?!\d{1,3}(?:\.\d{3})+(?![\w.]))\d+(?:\.\d+){2,}(?![\w.])"
)
_PHONE = r"(?<![\w.,])(?:\+|\(?0)\d[\d ()/-]{5,}\d(?!\w)"
_ISO_DATE = r"(?<!\d)(?P<iso_year>\d{4})-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)(?!\d)"
_HAN_DATE = (
    r"(?:(?P<han_year>\d{4})\s?[年년]\s?)?(?P<han_month>\d{1,2})\s?[月월]\s?"
    r"(?P<han_day>\d{1,2})\s?[日号號일]"
)
_NUMERIC_DATE = (
    r"(?<![\d.,/-])(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)"
    r"(?P<year>\d{4}|\d\d)(?![\d/-])"
)
_MERIDIEM = rf"(?:{_SPACE}?(?P<{{0}}>[aApP])\.?{_SPACE}?[mM]\b\.?)"
_TIME = (
    rf"(?<![\d.,:])(?P<hour>[01]?\d|2[0-4])(?:"
    rf"[:h](?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:]){_MERIDIEM.format('m1')}?"
    rf"|\.(?P<dotted>[0-5]\d)(?:{_MERIDIEM.format('m2')}|(?={_SPACE}?(?:Uhr|h\b)))"
    rf"|{_MERIDIEM.format('m3')}"
    rf"|{_SPACE}?(?:h(?![\w])|(?=Uhr\b)|[時点點시])(?:(?P<han_minute>[0-5]?\d)\s?[分분])?)"
)
_NUMBER = rf"\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,'\u2019]\d+)*"
_HAN = "[一二三四五六七八九十百千万]"
_HAN_NUMBER = rf"{_HAN}{{2,}}|{_HAN}(?=[年月日時点分秒円元%％名個人])"
_WORD = r"[^\W\d_]+(?:-[^\W\d_]+)*"
_SCANNER = re.compile(
    f"(?P<date_iso>{_ISO_DATE})|(?P<date_han>{_HAN_DATE})|(?P<date>{_NUMERIC_DATE})"
    f"|(?P<phone>{_PHONE})|(?P<time>{_TIME})|(?P<code>{_CODE})|(?P<number>{_NUMBER})"
    f"|(?P<han>{_HAN_NUMBER})|(?P<word>{_WORD})"
)
_UNIT_AFTER = re.compile(rf"{_SPACE}?(?P<sign>[%‰\u066a\uff05])|{_SPACE}?(?P<word>[^\W\d_]+)")
_NEXT_WORD = re.compile(r"[ \u00a0\u202f\u2009-]?([^\W\d_]+)")
_ORDINAL = frozenset({"st", "nd", "rd", "th", "er", "re", "e", "ème", "º", "ª"})
_LOOKED_AROUND = 24
_NOON = 12 * 60


@dataclass(frozen=True, slots=True)
class Value:
    """Something that a text states and that can be right or wrong by a character."""

    start: int
    end: int
    forms: frozenset[str]
    """What it can mean, each in one way of writing."""
    unit: str = ""
    """A currency or `PERCENT`; empty where none stands with it."""
    counted: str = ""
    """The word behind a number: what is counted."""

    @property
    def is_name(self) -> bool:
        """Whether it is a day of the week or a code, which say what something else is about."""
        return any(form[0] in "wc" for form in self.forms)

    def shifted(self, offset: int) -> "Value":
        """The same further on in a longer text."""
        return Value(self.start + offset, self.end + offset, self.forms, self.unit, self.counted)


def values_in(text: str, language: str = "en") -> list[Value]:
    """The values of `text` in order.

    Args:
        text: An answer, or a passage.
        language: Whose names of months, days and numbers are known; those of English always are.
    """
    return list(_values_in(text, language))


@lru_cache(maxsize=2_048)
def _values_in(text: str, language: str) -> tuple[Value, ...]:
    return tuple(_scanned(_with_plain_digits(text), words_of_language(language), language))


def _scanned(text: str, words: LanguageWords, language: str) -> Iterator[Value]:
    at = 0
    waiting: Value | None = None
    while (found := _SCANNER.search(text, at)) is not None:
        value = _read(text, found, words, language)
        if value is None:
            # "Monday-Friday" is two words, though "twenty-five" is one.
            first, hyphen, _ = found.group().partition("-")
            at = found.start() + len(first) + len(hyphen)
            continue
        at = max(value.end, at + 1)
        # The 5 of "5 March" is no number of its own.
        if waiting is not None and waiting.end <= value.start:
            yield waiting
        waiting = value
    if waiting is not None:
        yield waiting


def _read(text: str, found: re.Match[str], words: LanguageWords, language: str) -> Value | None:
    for name, read in (("date_iso", _iso), ("date_han", _han_date), ("date", _numeric_date)):
        if found[name] is not None:
            return _value(found, read(found))
    if found["phone"] is not None:
        return _value(found, {"p:" + re.sub(r"\D", "", found["phone"])})
    if found["time"] is not None:
        return _value(found, _times(text, found, words))
    if found["code"] is not None:
        return _value(found, {"c:" + found["code"].casefold().rstrip("./")})
    if found["number"] is not None:
        return _number(text, found, words)
    if found["han"] is not None:
        return _value(found, {f"n:{_han_number(found['han'])}"})
    return _word(text, found, words, language)


def _value(found: re.Match[str], forms: set[str]) -> Value:
    return Value(found.start(), found.end(), frozenset(forms))


# Dates


def _dates(year: int | None, pairs: list[tuple[int, int]]) -> set[str]:
    """Forms of a day; a year is one more thing that has to fit."""
    forms: set[str] = set()
    for month, day in pairs:
        if 1 <= month <= 12 and 1 <= day <= 31:
            forms.add(f"d:{year or ''}-{month}-{day}")
    return forms


def _iso(found: re.Match[str]) -> set[str]:
    pair = (int(found["iso_month"]), int(found["iso_day"]))
    return _dates(int(found["iso_year"]), [pair]) or {f"c:{found['date_iso']}"}


def _han_date(found: re.Match[str]) -> set[str]:
    year = int(found["han_year"]) if found["han_year"] else None
    return _dates(year, [(int(found["han_month"]), int(found["han_day"]))])


def _numeric_date(found: re.Match[str]) -> set[str]:
    year = int(found["year"])
    year += 2000 if year < 100 else 0
    first, second = int(found["first"]), int(found["second"])
    return _dates(year, [(second, first), (first, second)]) or {f"c:{found['date']}"}


_DAY_BEFORE = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?(?:\s+(?:of|de))?\s+$")
_DAY_AFTER = re.compile(r"\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?![\d:.]\d)\b")
_YEAR_AFTER = re.compile(r"(?:,|\.|\s+de|\s+del)?\s+(\d{4})\b")


def _month(text: str, start: int, end: int, month: int) -> Value | None:
    """A day that is named with its month; a month alone is none, as `may` and `march` are not."""
    before = _DAY_BEFORE.search(text, max(0, start - _LOOKED_AROUND), start)
    day = None
    if before is not None:
        start, day = before.start(1), int(before[1])
    elif (after := _DAY_AFTER.match(text, end)) is not None:
        end, day = after.end(), int(after[1])
    year = _YEAR_AFTER.match(text, end)
    if year is not None:
        end = year.end()
    number = int(year[1]) if year else None
    if day is not None:
        return Value(start, end, frozenset(_dates(number, [(month, day)])))
    if number is not None:
        return Value(start, end, frozenset({f"d:{number}-{month}-"}))
    return None


# Times


def _times(text: str, found: re.Match[str], words: LanguageWords) -> set[str]:
    hour = int(found["hour"])
    minute = int(found["minute"] or found["dotted"] or found["han_minute"] or 0)
    half = (found["m1"] or found["m2"] or found["m3"] or "").casefold()
    if half:
        return {f"t:{hour % 12 * 60 + minute + (_NOON if half == 'p' else 0)}"}
    before = text[max(0, found.start() - 3) : found.start()].rstrip()
    later = _NOON if hour < 12 and before.endswith(words.afternoon) else 0
    exact = {f"t:{hour * 60 + minute + later}"}
    if text[found.start() : found.end()].strip().isdecimal():
        exact.add(f"n:{hour}")
    return exact


# Numbers


def _number(text: str, found: re.Match[str], words: LanguageWords) -> Value:
    written = found["number"]
    start, end = found.span()
    forms = {f"n:{form}" for form in forms_of_number(written)}
    unit = _unit_before(text, start)
    after = _UNIT_AFTER.match(text, end)
    counted = ""
    if after is not None and after["sign"]:
        unit, end = PERCENT, after.end()
    elif after is not None:
        word = after["word"]
        # Scales of Chinese and its neighbours are one character, with the unit right behind it.
        scale = (
            word.casefold()
            if unicodedata.name(word[0], "").startswith(("LATIN", "CYRILLIC"))
            else word[0]
        )
        scaled = forms_of_number(written, scale=scale)
        if scaled:
            forms |= {f"n:{form}" for form in scaled}
            end = after.start("word") + len(scale)
            word = _next_word(text, end)
        percent = _percent_after(text, end, words)
        end += percent
        unit = unit or (PERCENT if percent else _currency_named(word, words))
        counted = "" if unit or word.casefold() in _ORDINAL else word.casefold()
    unit = unit or _sign_after(text, end)
    return Value(start, end, frozenset(forms), unit, counted)


def _next_word(text: str, at: int) -> str:
    found = _NEXT_WORD.match(text, at)
    return "" if found is None else found[1]


def _unit_before(text: str, start: int) -> str:
    before = text[max(0, start - 5) : start].rstrip()
    if before and unicodedata.category(before[-1]) == "Sc":
        return before[-1]
    code = before[-3:]
    return currency_symbol(code) if code in currency_codes() else ""


def _sign_after(text: str, end: int) -> str:
    after = text[end : end + 2].lstrip()
    return after[0] if after and unicodedata.category(after[0]) == "Sc" else ""


def _currency_named(word: str, words: LanguageWords) -> str:
    if word in currency_codes():
        return currency_symbol(word)
    plain = word.casefold()
    # Words without spaces between them: the name is how they begin.
    known = next((name for name in words.joined_currencies if plain.startswith(name)), plain)
    return words.currencies.get(known, "")


def _percent_after(text: str, end: int, words: LanguageWords) -> int:
    """How many characters the words for per cent take that come next."""
    following = text[end : end + _LOOKED_AROUND]
    plain = following.lstrip()
    for each in words.percent:
        if plain.casefold().startswith(each):
            return len(following) - len(plain) + len(each)
    return 0


_HAN_DIGITS = {char: number for number, char in enumerate("〇一二三四五六七八九")}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1_000}


def _han_number(written: str) -> int:
    total, section, digit = 0, 0, 0
    for char in written:
        if char == "万":
            total += (section + digit or 1) * 10_000
            section = digit = 0
        elif char in _HAN_SCALES:
            section += (digit or 1) * _HAN_SCALES[char]
            digit = 0
        else:
            digit = _HAN_DIGITS[char]
    return total + section + digit


def _word(text: str, found: re.Match[str], words: LanguageWords, language: str) -> Value | None:
    whole = found["word"].casefold()
    for word in dict.fromkeys((whole, whole.partition("-")[0])):
        start, end = found.start(), found.start() + len(word)
        month = words.months.get(word)
        dated = None if month is None else _month(text, start, end, month)
        if dated is not None:
            return dated
        if word in words.weekdays:
            return Value(start, end, frozenset({f"w:{words.weekdays[word]}"}))
        number = number_in_words(word, language)
        if number is not None:
            return _number_word(text, start, end, number, words)
    return None


def _number_word(text: str, start: int, end: int, number: int, words: LanguageWords) -> Value:
    counted = _next_word(text, end).casefold()
    percent = _percent_after(text, end, words)
    unit = PERCENT if percent else words.currencies.get(counted, "")
    counted = "" if unit else counted
    return Value(start, end + percent, frozenset({f"n:{number}"}), unit, counted)


def _with_plain_digits(text: str) -> str:
    """`text` with digits 0 to 9, and every character in its place."""
    if text.isascii():
        return text
    return "".join(map(_plain, text))


@lru_cache(maxsize=4_096)
def _plain(char: str) -> str:
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return _SIGNS.get(char, char)


_SIGNS = {
    **{"\u066b": ".", "\u066c": ",", "\uff0e": ".", "\uff0c": ",", "\uff1a": ":", "\uff0f": "/"},
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **{"\uffe5": "\u00a5"},
}
