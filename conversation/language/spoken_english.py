"""English: numbers, dates, money, units and addresses -> words. Pure.

Each rule takes what it knows and leaves words behind, so that the next one sees less. The last
rules take every digit and symbol that is left.
"""

import re

from conversation.language.number_words import cardinal, decimal, ordinal, year
from conversation.language.speaking.identifiers import IDENTIFIER_RULES, RATIO_RULES
from conversation.language.spoken_addresses import address_rules
from conversation.language.spoken_codes import CODE_RULES, grouped_digits
from conversation.language.spoken_dates import DATE_RULES, YEAR
from conversation.language.spoken_rules import ALONE, Match, Rule, apply_rules, rule

_END = r"(?![\w@]|[.,:/-]\w)"
_NUMBER = r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<fraction>[0-9]+))?"

_CURRENCIES = {
    "$": ("dollar", "cent"),
    "US$": ("dollar", "cent"),
    "USD": ("dollar", "cent"),
    "€": ("euro", "cent"),
    "EUR": ("euro", "cent"),
    "£": ("pound", "pence"),
    "GBP": ("pound", "pence"),
    "¥": ("yen", "sen"),
    "JPY": ("yen", "sen"),
    "CHF": ("franc", "centime"),
    "\u20b9": ("rupee", "paise"),
    "INR": ("rupee", "paise"),
    "R$": ("real", "centavo"),
    "BRL": ("real", "centavo"),
    "\u20a9": ("won", "jeon"),
    "\u20bd": ("ruble", "kopek"),
    "\u20ba": ("lira", "kurus"),
}
_SAME_IN_PLURAL = frozenset(
    {"yen", "sen", "pence", "hertz", "degrees Celsius", "paise", "won", "jeon", "kurus"}
)
_MARKS = "$€£¥\u20b9\u20a9\u20bd\u20ba"
_CODES = "USD|EUR|GBP|JPY|CHF|INR|BRL"
_MONEY = rf"(?P<sign>-|\u2212)?(?P<currency>US\$|R\$|[{_MARKS}]|(?:{_CODES})(?=\s?[0-9]))"
_BIG = r"(?:\s?(?P<big>thousand|million|billion|trillion|(?:[kKmMB]|mn|bn)\b))?"
_BIG_WORDS = {
    **{"k": "thousand", "K": "thousand", "m": "million", "M": "million", "B": "billion"},
    **{"mn": "million", "bn": "billion"},
}
_UNITS = {
    "km/h": "kilometer per hour",
    "mph": "mile per hour",
    "m/s": "meter per second",
    "m\u00b2": "square meter",
    "km\u00b2": "square kilometer",
    "cm\u00b2": "square centimeter",
    "ft\u00b2": "square foot",
    "m\u00b3": "cubic meter",
    "cm\u00b3": "cubic centimeter",
    "Mbit/s": "megabit per second",
    "MB/s": "megabyte per second",
    "GB/s": "gigabyte per second",
    "km": "kilometer",
    "cm": "centimeter",
    "mm": "millimeter",
    "m": "meter",
    "mi": "mile",
    "ft": "foot",
    "in": "inch",
    "kg": "kilogram",
    "g": "gram",
    "mg": "milligram",
    "lb": "pound",
    "lbs": "pound",
    "oz": "ounce",
    "l": "liter",
    "L": "liter",
    "ml": "milliliter",
    "h": "hour",
    "hr": "hour",
    "hrs": "hour",
    "min": "minute",
    "mins": "minute",
    "s": "second",
    "sec": "second",
    "secs": "second",
    "ms": "millisecond",
    "B": "byte",
    "KB": "kilobyte",
    "kB": "kilobyte",
    "MB": "megabyte",
    "GB": "gigabyte",
    "TB": "terabyte",
    "MiB": "mebibyte",
    "GiB": "gibibyte",
    "Hz": "hertz",
    "kHz": "kilohertz",
    "MHz": "megahertz",
    "GHz": "gigahertz",
    "W": "watt",
    "kW": "kilowatt",
    "kWh": "kilowatt hour",
    "V": "volt",
    "°C": "degree Celsius",
    "°F": "degree Fahrenheit",
    "°": "degree",
    "%": "percent",
    "‰": "per mille",
}
_NO_PLURAL = frozenset({"percent", "per mille", "hertz", "kilohertz", "megahertz", "gigahertz"})
# "5 in the evening" and "9 m" without context stay as they are: no unit that is a word.
_AFTER_BLANK = [unit for unit in _UNITS if unit not in ("in", "l", "s", "h", "B", "W", "V", "m")]
_SYMBOLS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "#": "hash",
    "%": "percent",
    "‰": "per mille",
    "/": "slash",
    "\\": "backslash",
    "<": "less than",
    ">": "greater than",
    "≤": "at most",
    "≥": "at least",
    "≠": "is not",
    "≈": "about",
    "±": "plus or minus",
    "\u00d7": "times",
    "÷": "divided by",
    "\u2212": "minus",
    "→": "to",
    "⇒": "so",
    "°": "degrees",
    "§": "section",
    "©": "copyright",
    "€": "euros",
    "£": "pounds",
    "$": "dollars",
    "¥": "yen",
    "²": "squared",
    "³": "cubed",
}
_ABBREVIATIONS = {
    r"e\.\s?g\.": "for example",
    r"i\.\s?e\.": "that is",
    r"etc\.": "et cetera",
    r"vs\.?": "versus",
    r"approx\.": "approximately",
    r"incl\.": "including",
    r"excl\.": "excluding",
    r"Dr\.(?=\s[A-Z])": "Doctor",
    r"St\.(?=\s[A-Z])": "Saint",
    r"Mr\.": "Mister",
    r"Mrs\.": "Missus",
    r"Ms\.": "Miss",
    r"Prof\.": "Professor",
    r"No\.(?=\s?[0-9])": "number",
    r"w/o": "without",
    r"FAQs?": "F A Q",
}
_DAYS = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_WEEKDAY = "|".join(_DAYS)
_FRACTIONS = {
    **{"1/2": "one half", "1/4": "one quarter", "3/4": "three quarters"},
    **{"1/3": "one third", "2/3": "two thirds", "1/5": "one fifth", "1/8": "one eighth"},
    **{"3/8": "three eighths", "5/8": "five eighths", "7/8": "seven eighths"},
}


def spoken(text: str) -> str:
    """`text` with nothing left that is not a word, a name or punctuation."""
    return apply_rules(text, _RULES)


def _plural(word: str, *, one: bool) -> str:
    if one or word in _NO_PLURAL or word in _SAME_IN_PLURAL:
        return word
    head, per, rest = word.partition(" per ")
    if word.startswith("degree"):
        return word.replace("degree", "degrees", 1)
    ending = {"foot": "feet", "inch": "inches", "square foot": "square feet"}.get(head, f"{head}s")
    return f"{ending}{per}{rest}"


def _number_words(whole: str, fraction: str | None) -> str:
    digits = whole.replace(",", "")
    return cardinal(digits) if fraction is None else decimal(digits, fraction)


def _is_one(match: Match) -> bool:
    return match["whole"].strip("0") == "1" and match["whole"] == "1" and match["fraction"] is None


def _money(match: Match) -> str:
    unit, small = _CURRENCIES[match["currency"]]
    whole, fraction = match["whole"].replace(",", ""), match["fraction"]
    minus = "minus " if match.groupdict().get("sign") else ""
    big = match.groupdict().get("big")
    if big or (fraction is not None and len(fraction) != 2):
        amount = _number_words(whole, fraction)
        scale = f" {_BIG_WORDS.get(big, big)}" if big else ""
        return f"{minus}{amount}{scale} {_plural(unit, one=False)}"
    said = f"{cardinal(whole)} {_plural(unit, one=whole == '1')}"
    if fraction is None or fraction == "00":
        return minus + said
    cents = cardinal(str(int(fraction)))
    small_said = f"{cents} {_plural(small, one=int(fraction) == 1)}"
    return minus + (small_said if int(whole) == 0 else f"{said} and {small_said}")


def _unit(match: Match) -> str:
    minus = "minus " if match["sign"] else ""
    number = _number_words(match["whole"], match["fraction"])
    return f"{minus}{number} {_plural(_UNITS[match['unit']], one=_is_one(match))}"


def _hours(match: Match) -> str:
    minutes = str(int(match["m"] or match["glued"]))
    parts = ((match["h"], "hour"), (minutes, "minute"))
    return " ".join(f"{cardinal(n)} {_plural(unit, one=n == '1')}" for n, unit in parts)


def _end_of_range(number: str) -> str:
    """The first number of a range, without its unit: that follows the second."""
    whole, _, fraction = number.rstrip(",.").partition(".")
    return _number_words(whole, fraction or None)


def _plain(match: Match) -> str:
    minus = "minus " if match["sign"] else ""
    return minus + _number_words(match["whole"], match["fraction"])


def _units(units: list[str]) -> str:
    return "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))


_SIGN = r"(?P<sign>-|\u2212)?"
_RULES: tuple[Rule, ...] = (
    rule(
        r"(?<![\w.,+/:-])(?<!\d )(?!0)[0-9]{1,3}(?:[\u00a0\u2009\u202f][0-9]{3})+(?![\w/:-])",
        lambda match: re.sub(r"\D", "", match[0]),
    ),
    rule(r"(?<=[0-9]) (?=(?:1/[2-9]|3/4|2/3)(?![\w/]))", lambda match: " and "),
    rule(
        r"(?<![\w.,])(?P<h>[0-9]{1,3})(?:h(?P<glued>[0-5][0-9])"
        r"|\s?h\s?(?P<m>[0-5]?[0-9])\s?m(?:in)?)(?![\w/])",
        _hours,
    ),
    rule(r"(?<![\w~./])~\s?(?=[0-9$\u20ac\u00a3])", lambda match: "about "),
    rule(r"\u221a\s?(?=\w)", lambda match: "the square root of "),
    rule(r"\b24/7\b", lambda match: "twenty-four seven"),
    rule(r"\b(and|or)/(or|and)\b", lambda match: f"{match[1]} {match[2]}"),
    *address_rules("en"),
    *IDENTIFIER_RULES,
    *(
        rule(rf"\b{pattern}(?!\w)", lambda match, words=words: words)
        for pattern, words in _ABBREVIATIONS.items()
    ),
    rule(
        rf"\b({_WEEKDAY})\s?[-\u2013]\s?({_WEEKDAY})\b",
        lambda match: f"{_DAYS[match[1]]} to {_DAYS[match[2]]}",
    ),
    rule(
        r"(?<![\w.])\+[0-9]{1,3}(?:[ ./-]?\(?[0-9]{1,5}\)?){2,6}(?![\w])"
        r"|(?<![\w.])\(0?[0-9]{2,5}\)[ -]?[0-9]{3,}(?:[ -][0-9]{2,})*(?!\w)"
        r"|(?<![\w.-])[0-9]{3}-[0-9]{3}-[0-9]{4}(?![\w-])",
        grouped_digits,
    ),
    *CODE_RULES,
    *DATE_RULES,
    *RATIO_RULES,
    rule(
        # `$5-10`, `$5 - $10`: both are amounts of money.
        rf"(?<!\w)(?P<c>US\$|R\$|[{_MARKS}])\s?(?P<a>[0-9][0-9,.]*)"
        r"(?:[-\u2013]|\s?[-\u2013]\s?(?P=c)\s?)(?=[0-9][0-9,.]*(?![0-9,.%]))",
        lambda match: f"{_end_of_range(match['a'])} to {match['c']}",
    ),
    rule(rf"(?<!\w){_MONEY}\s?{_NUMBER}{_BIG}(?![a-z])", _money),
    rule(rf"(?<!\w){_MONEY}\s?{_NUMBER}", _money),
    rule(rf"(?<![\w.,]){_NUMBER}\s?(?P<currency>[{_MARKS}]|(?:{_CODES})\b)", _money),
    rule(
        rf"(?P<a>{ALONE}[0-9]+(?:\.[0-9]+)?)\s?[-\u2013]\s?(?=[0-9])",
        lambda match: match["a"] + " to ",
    ),
    rule(rf"(?<![\w.,]){_SIGN}{_NUMBER}(?P<unit>{_units(list(_UNITS))})(?![\w/])", _unit),
    rule(rf"(?<![\w.,]){_SIGN}{_NUMBER}\s(?P<unit>{_units(_AFTER_BLANK)})(?![\w/])", _unit),
    rule(
        rf"(?<![\w.,]){_SIGN}{_NUMBER}\s(?P<unit>m)"
        r"(?=\s(?:long|wide|high|tall|deep|away|above|below|by|x)\b|\s\u00d7)",
        _unit,
    ),
    rule(r"\b(?P<n>[0-9]{1,15})(?:st|nd|rd|th)\b", lambda match: ordinal(match["n"])),
    rule(
        r"(?<![\w/.,])([0-9]+/[0-9]+)(?![\w/])",
        lambda match: _FRACTIONS.get(match[1], match[1].replace("/", " slash ")),
    ),
    rule(
        r"(?i:(?<=\bin )|(?<=\bsince )|(?<=\buntil )|(?<=\bby )|(?<=\bfrom )|(?<=\byear )"
        r"|(?<=\bof )|(?<=\bbefore )|(?<=\bafter ))" + rf"{YEAR}{_END}",
        lambda match: year(match["year"]),
    ),
    rule(
        r"(?<![0-9])[0-9]+(?:\.[0-9]+){2,}(?![0-9])",
        lambda match: f" {' point '.join(map(cardinal, match[0].split('.')))} ",
    ),
    rule(r"#(?=[0-9])|\u2116\s?", lambda match: "number "),
    rule(rf"(?<![\w.,)-]){_SIGN}{_NUMBER}(?![\w]|[.,][0-9])", _plain),
    # What is left is glued to something: "A4", "GPT-4", "10.5.2a".
    rule(
        r"(?P<before>[^\W\d_]-?|[.,])?(?P<n>[0-9]+)(?=(?P<after>[^\W\d_])?)",
        lambda match: _glued(match),
    ),
    rule(
        "|".join(re.escape(symbol) for symbol in _SYMBOLS),
        lambda match: f" {_SYMBOLS[match.group()]} ",
    ),
)


def _glued(match: Match) -> str:
    before, after = match["before"] or "", match["after"] or ""
    before = {".": " point ", ",": ", "}.get(before, f"{before.rstrip('-')} " if before else "")
    return f"{before}{cardinal(match['n'])}{' ' if after else ''}"
