"""English: versions, instants of a log, ISBNs, telephone numbers and exponents -> words. Pure."""

import re

from conversation.language.number_words import cardinal, decimal, digit_by_digit
from conversation.language.spoken_dates import iso_date, time_of_day
from conversation.language.spoken_rules import ALONE, Match, Rule, rule

_ISO_DATE = r"(?P<year>[0-9]{4})(?P<dash>-?)(?P<m>[0-9]{2})(?P=dash)(?P<day>[0-9]{2})"
_ISO_TIME = (
    r"T(?P<hour>[01][0-9]|2[0-4]):?(?P<minute>[0-5][0-9])"
    r"(?::?(?P<second>[0-5][0-9]|60)(?:[.,](?P<fraction>[0-9]+))?)?"
)
_OFFSET = r"(?:(?P<utc>Z)|(?P<ahead>[+\u2212-])(?P<hours>[01][0-9])(?::?(?P<minutes>[0-5][0-9]))?)?"
_GROUPS_END = r"(?![\w@]|[-/:]\w|[.,][0-9])"
_MINUS = "-\u2212"


def grouped_digits(match: Match) -> str:
    """Digit by digit, with a pause between the groups that were written."""
    groups: list[str] = re.findall(r"[+xX]|[0-9]+", match.group())
    names = {"+": "plus", "x": "X", "X": "X"}
    said = ", ".join(names.get(group) or digit_by_digit(group) for group in groups)
    return said.replace("plus, ", "plus ")


def _instant(match: Match) -> str:
    date = f"{iso_date(match)}, " if match["year"] else ""
    return f"{date}{time_of_day(match)}{_offset(match)}"


def _offset(match: Match) -> str:
    if match["utc"]:
        return " U T C"
    if not match["ahead"]:
        return ""
    said = "minus" if match["ahead"] in _MINUS else "plus"
    minutes = int(match["minutes"] or 0)
    past = f" hours {cardinal(str(minutes))}" if minutes else ""
    return f" U T C {said} {cardinal(str(int(match['hours'])))}{past}"


def _isbn(match: Match) -> str:
    kind = f" {cardinal(match['kind'])}" if match["kind"] else ""
    groups: list[str] = re.findall(r"[0-9]+|[xX]", match["code"])
    said = ", ".join("X" if group in "xX" else digit_by_digit(group) for group in groups)
    return f"ISBN{kind}{match['colon']} {said}"


def _power(match: Match) -> str:
    minus = "minus " if match["minus"] else ""
    return f" to the power of {minus}{cardinal(match['n'])}"


def _scientific(match: Match) -> str:
    whole, fraction = match["whole"], match["fraction"]
    number = cardinal(whole) if fraction is None else decimal(whole, fraction)
    sign = "minus " if match["sign"] else ""
    return f"{sign}{number} times ten{_power(match)}"


CODE_RULES: tuple[Rule, ...] = (
    rule(r"\b(?P<word>(?i:versions?):?)\s[vV]\.?\s?(?=[0-9])", lambda match: match["word"] + " "),
    rule(r"\bv(?=[0-9])", lambda match: "version "),
    rule(
        r"\bISBN(?:[- ](?P<kind>1[03])(?=:|\s))?(?P<colon>:?)\s?"
        rf"(?P<code>[0-9](?:[ -]?[0-9]){{8,12}}(?:[ -]?[xX])?){_GROUPS_END}",
        _isbn,
    ),
    rule(rf"{ALONE}(?:{_ISO_DATE})?{_ISO_TIME}{_OFFSET}(?![\w:])", _instant),
    rule(
        # Three groups and more are no range; a date is one of three, and has rules of its own.
        rf"{ALONE}(?![0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?![0-9-]))"
        rf"[0-9]+(?:-[0-9]+){{2,}}(?:-[xX])?{_GROUPS_END}"
        rf"|{ALONE}[0-9]{{3}}(?P<by>[ .])[0-9]{{3}}(?P=by)[0-9]{{4}}{_GROUPS_END}"
        rf"|{ALONE}0[0-9](?:(?P<pair>[ .])[0-9]{{2}})(?:(?P=pair)[0-9]{{2}}){{3}}{_GROUPS_END}"
        rf"|{ALONE}0[0-9]{{1,4}}[ /][0-9]{{3,8}}(?:[ -][0-9]{{2,8}}){{0,4}}{_GROUPS_END}",
        grouped_digits,
    ),
    rule(
        r"(?<![\w.,)-])(?P<sign>[-\u2212])?(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?"
        r"[eE](?:\+|(?P<minus>[-\u2212]))?(?P<n>[0-9]+)(?!\w)",
        _scientific,
    ),
    rule(r"(?<=[^\W_])\^(?:\+|(?P<minus>[-\u2212]))?(?P<n>[0-9]+)(?!\w)", _power),
)
