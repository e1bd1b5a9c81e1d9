"""Names of days, months, money and per cent by language. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal, cast

from babel import Locale, UnknownLocaleError
from babel.dates import get_day_names, get_month_names, get_period_names
from babel.numbers import get_currency_name, get_currency_symbol, list_currencies
from babel.units import format_unit

_WIDTHS: tuple[Literal["abbreviated", "wide"], ...] = ("abbreviated", "wide")
_CONTEXTS: tuple[Literal["format", "stand-alone"], ...] = ("format", "stand-alone")
_SPOKEN_CURRENCIES = (
    *("USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", "KRW", "RUB", "PLN", "CZK", "SEK"),
    *("NOK", "DKK", "TRY", "UAH", "BRL", "MXN", "CAD", "AUD"),
)
"""Those whose names are looked for; all others by their symbol and code."""
_SHORTEST_NAME = 2
_MAX_KINDS_OF_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class LanguageWords:
    """Words of one language, and those of English, in lower case."""

    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    """From 0, which is Monday."""
    currencies: Mapping[str, str]
    """The symbol for the last word of each name."""
    joined_currencies: tuple[str, ...]
    """Names that other words may follow without a space, the longest first."""
    percent: frozenset[str]
    afternoon: tuple[str, ...]
    """What stands before a time of the second half of the day, where something does."""


@lru_cache(maxsize=64)
def words_of_language(language: str) -> LanguageWords:
    """The words of a language such as `de` or `de-AT`; of English alone where it is not known."""
    locales = tuple(dict.fromkeys(filter(None, (_locale(language), _locale("en")))))
    months: dict[str, int] = {}
    weekdays: dict[str, int] = {}
    currencies: dict[str, str] = {}
    percent: set[str] = set()
    afternoon: set[str] = set()
    for locale in reversed(locales):
        months |= _named(
            get_month_names(width, context, locale) for width in _WIDTHS for context in _CONTEXTS
        )
        weekdays |= _named(
            get_day_names(width, context, locale) for width in _WIDTHS for context in _CONTEXTS
        )
        currencies |= _currency_names(locale)
        percent |= _percent_words(locale)
        for width, context in product(_WIDTHS, _CONTEXTS):
            periods = cast("Mapping[str, str]", get_period_names(width, context, locale))
            afternoon.add(periods.get("pm", ""))
    joined = sorted((name for name in currencies if _is_joined(name)), key=len, reverse=True)
    return LanguageWords(
        months,
        weekdays,
        currencies,
        tuple(joined),
        frozenset(percent),
        tuple(afternoon - {""}),
    )


@lru_cache(maxsize=512)
def currency_symbol(code: str) -> str:
    """`$` for `USD`; the code itself where it has no symbol of its own."""
    symbol = "".join(
        char for char in get_currency_symbol(code, "en") if unicodedata.category(char) == "Sc"
    )
    return symbol or code


@lru_cache(maxsize=1)
def currency_codes() -> frozenset[str]:
    """Three letters each."""
    return frozenset(list_currencies())


def _is_joined(name: str) -> bool:
    """Whether a name is of a script that has no spaces between words."""
    return unicodedata.name(name[0], "").startswith(("CJK", "HIRAGANA", "KATAKANA", "THAI"))


def _locale(language: str) -> Locale | None:
    try:
        return Locale.parse(language.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        primary = language.replace("_", "-").partition("-")[0]
        return _locale(primary) if primary != language else None


def _named(tables: Iterable[Mapping[int, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in tables:
        for number, name in table.items():
            plain = name.casefold().rstrip(".")
            if len(plain) >= _SHORTEST_NAME and not any(map(str.isdecimal, plain)):
                found[plain] = number
    return found


def _currency_names(locale: Locale) -> dict[str, str]:
    found: dict[str, str] = {}
    for code in reversed(_SPOKEN_CURRENCIES):
        for count in (1, 2, 5):
            name = get_currency_name(code, count=count, locale=locale).casefold()
            # "US dollars": people leave the country out; where it stands last, the name is first.
            words = _MAX_KINDS_OF_SPACE.split(name)
            named = words[-1] if str(locale).startswith(("en", "de")) else words[0]
            named = named.rpartition("-")[2]
            if len(named) >= _SHORTEST_NAME or not named.isascii():
                found[named] = currency_symbol(code)
    return found


def _percent_words(locale: Locale) -> set[str]:
    found: set[str] = set()
    for count in (1, 2, 5):
        written = format_unit(count, "concentr-percent", length="long", locale=locale)
        word = re.sub(r"[\d\s\u200e\u200f]+", " ", written).strip().casefold()
        if word and not word.startswith("concentr"):
            found.add(word)
    return found
