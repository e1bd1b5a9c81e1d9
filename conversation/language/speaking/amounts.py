"""Other languages than English: units and currencies behind or before a number -> words. Pure.

The number itself stays as it is written: voices of those languages read it. What a unit is called,
and in which form after which number, is what the Unicode consortium says of the locale.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from conversation.language.spoken_rules import Match, Rule, rule

if TYPE_CHECKING:
    from babel import Locale

_UNITS = {
    **{"\u00b0C": "temperature-celsius", "\u00b0F": "temperature-fahrenheit"},
    **{"%": "concentr-percent", "\u2030": "concentr-permille"},
    **{"km/h": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second"},
    **{"km": "length-kilometer", "m": "length-meter", "cm": "length-centimeter"},
    **{"mm": "length-millimeter", "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram"},
    **{"m\u00b2": "area-square-meter", "km\u00b2": "area-square-kilometer"},
    **{"m\u00b3": "volume-cubic-meter", "l": "volume-liter", "ml": "volume-milliliter"},
    **{"h": "duration-hour", "min": "duration-minute", "ms": "duration-millisecond"},
    **{"kB": "digital-kilobyte", "MB": "digital-megabyte", "GB": "digital-gigabyte"},
    **{"TB": "digital-terabyte", "Hz": "frequency-hertz", "kHz": "frequency-kilohertz"},
    **{"MHz": "frequency-megahertz", "GHz": "frequency-gigahertz", "W": "power-watt"},
    **{"kW": "power-kilowatt", "kWh": "energy-kilowatt-hour", "V": "electric-volt"},
}
_MARKS = {"$": "USD", "\u20ac": "EUR", "\u00a3": "GBP", "\u00a5": "JPY", "\u20b9": "INR"} | {
    **{"\u20a9": "KRW", "\u20bd": "RUB", "\u20ba": "TRY", "US$": "USD", "R$": "BRL"}
}
_CODES = (
    *("EUR", "USD", "GBP", "CHF", "JPY", "PLN", "CZK", "SEK", "NOK", "DKK", "HUF", "RUB", "KRW"),
    *("CNY", "INR", "BRL", "MXN", "CAD", "AUD", "TRY"),
)
_NUMBER = r"(?P<sign>[-\u2212])?(?P<number>[0-9]{1,15}(?:[.,\u202f\u00a0'\u2019][0-9]{1,9}){0,5})"
_END = r"(?![\w/\u00b2\u00b3])"


_TO = {
    **{"de": "bis", "fr": "\u00e0", "es": "a", "it": "a", "pt": "a", "nl": "tot", "pl": "do"},
    **{"sv": "till", "da": "til", "nb": "til", "no": "til", "cs": "a\u017e", "ca": "a"},
}
"""Between the ends of a range, by language. The consortium has signs for that, and no words."""
_END_OF_RANGE = r"(?:0|[1-9][0-9]{0,3})(?:[.,:][0-9]{1,2})?"


def _either(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@lru_cache(maxsize=64)
def amount_rules(language: str) -> tuple[Rule, ...]:
    """Rules for a language or locale such as `de` or `pt-BR`; none for one that is not known."""
    locale = _locale(language)
    if locale is None:
        return ()
    marks = _either([*_MARKS, *_CODES])

    def unit(match: Match) -> str:
        said = _with_unit(match["number"], _UNITS[match["unit"]], locale)
        return match.group() if said is None else (match["sign"] or "") + said

    def money(match: Match) -> str:
        said = _with_currency(match["number"], match["mark"], locale)
        return match.group() if said is None else (match["sign"] or "") + said

    def span(match: Match) -> str:
        first, last = match["first"], match["last"]
        is_range = _in_order(first) < _in_order(last)
        return f"{first} {_TO[locale.language]} {last}" if is_range else match.group()

    spans = rule(
        rf"(?<![\w.,:/-])(?P<first>{_END_OF_RANGE})\s?[-\u2013]\s?(?P<last>{_END_OF_RANGE})"
        r"(?![\w@-]|[.,:/\u2013][0-9])",
        span,
    )
    return (
        *([spans] if locale.language in _TO else []),
        rule(rf"(?<![\w.,]){_NUMBER}\s?(?P<unit>{_either(_UNITS)}){_END}", unit),
        rule(rf"(?<![\w.,]){_NUMBER}\s?(?P<mark>{marks}){_END}", money),
        rule(rf"(?<!\w)(?P<mark>{marks})\s?{_NUMBER}(?![\w]|[.,-][0-9])", money),
    )


def _in_order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.split("[.,:]", number))


@lru_cache(maxsize=64)
def _locale(language: str) -> "Locale | None":
    from babel import Locale, UnknownLocaleError

    parts = re.findall("[A-Za-z0-9]+", language)
    for known in ("_".join(parts), *parts[:1]):
        try:
            return Locale.parse(known)
        except (ValueError, UnknownLocaleError):
            continue
    return None


def _with_unit(written: str, unit: str, locale: "Locale") -> str | None:
    """The number with the name of its unit; None where the locale has no name for it."""
    from babel.numbers import format_decimal
    from babel.units import format_unit

    value = _value(written, locale)
    if value is None:
        return None
    said, number = (
        format_unit(value, unit, "long", locale=locale),
        format_decimal(value, locale=locale),
    )
    return said.replace(number, written, 1) if number in said and unit not in said else None


def _with_currency(written: str, mark: str, locale: "Locale") -> str | None:
    """The number with the name of the currency, which a mark alone names by the locale."""
    from babel.numbers import get_currency_name, get_currency_unit_pattern

    value = _value(written, locale)
    if value is None:
        return None
    signs = cast("dict[str, str]", locale.currency_symbols)  # pyright: ignore[reportUnknownMemberType]
    own = next((code for code, sign in signs.items() if sign == mark), None)
    code = mark if mark in _CODES else own or _MARKS[mark]
    name = get_currency_name(code, value, locale)
    return get_currency_unit_pattern(code, value, locale).format(written, name)


def _value(written: str, locale: "Locale") -> Decimal | None:
    from babel.numbers import NumberFormatError, parse_decimal

    try:
        return parse_decimal(written, locale, strict=True)
    except NumberFormatError:
        return None
