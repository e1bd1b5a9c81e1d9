"""What a spreadsheet shows for a number: the format codes of ECMA-376, as far as words can say.

Colours, widths and padding are not text. Formats that depend on the reader's own settings (the
short date) give the unambiguous form.
"""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

from kb.formats.sheets.fraction import shown_fraction, shown_power

GENERAL = "General"
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0", 6: "$#,##0", 7: "$#,##0.00",
    8: "$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0;-#,##0",
    38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00", 41: "#,##0",
    42: "$#,##0", 43: "#,##0.00", 44: "$#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0", 49: "@",
}  # fmt: skip

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<padding>.)|\*(?P<filler>.)'
    r"|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[(?P<elapsed>h+|m+|s+)\]|\[(?P<bracket>[^\]]*)\]"
    r"|(?P<noon>AM/PM|A/P)|(?P<general>General)|(?P<exponent>E[+-])"
    r"|(?P<date>y+|m+|d+|h+|s+|e+|g+)|(?P<digits>[0#?,.]+)|(?P<text>@)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_LOWER_HALF = re.compile(r"[/\d]")
"""Of a fraction whose denominator is stated."""
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MAX_DIGITS = 60
_EXACT = Context(prec=500)
_EPOCH = datetime.datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no time zones
_DAYS_TO_1904 = 1462
_LAST_SERIAL = 2_958_466


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the parts of a code that semicolons separate."""

    tokens: tuple[_Token, ...]
    condition: tuple[str, float] | None

    def has(self, *kinds: str) -> bool:
        return any(token.kind in kinds for token in self.tokens)


@lru_cache(maxsize=10_000)
def show_number(value: str, code: str, *, since_1904: bool = False) -> str:
    """What a cell shows that holds the number `value` under the format `code`.

    Args:
        value: As the file stores it, e.g. `0.075`.
        code: E.g. `0.0%`, `#,##0.00 "€"`, `dd.mm.yyyy`, `[h]:mm`; one that is not understood
            shows the number itself.
        since_1904: Dates of the workbook count from 1904.
    """
    if code == GENERAL and len(value) < 15 and value.isdecimal():
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if not number.is_finite() or abs(number.adjusted()) > 300:
        return value
    sections = _sections(code)
    section, signed = _chosen(sections, float(number))
    if section is None or section.has("general", "text"):
        return _affixed(section, _general(number))
    if section.has("exponent") or "/" in _plain(section):
        return _shown_by_mask(section, number if signed else abs(number))
    if section.has("date", "elapsed", "noon"):
        return _shown_date(section, float(number), since_1904=since_1904)
    if not section.has("digits"):
        return _literals(section.tokens) if section.tokens else ""
    return _shown_figure(section, number if signed else abs(number))


@lru_cache(maxsize=1_000)
def _sections(code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    tokens: list[_Token] = []
    condition: tuple[str, float] | None = None
    for match in _TOKEN.finditer(code[:500]):
        kind = match.lastgroup or "literal"
        text = match[kind]
        if kind == "literal" and text == ";":
            sections.append(_Section(tuple(_with_minutes(tokens)), condition))
            tokens, condition = [], None
        elif kind == "bracket":
            found = _CONDITION.fullmatch(text)
            condition = (found[1], float(found[2])) if found else condition
        elif kind not in ("padding", "filler"):
            tokens.append(_Token(kind, text))
    sections.append(_Section(tuple(_with_minutes(tokens)), condition))
    return tuple(sections)


def _with_minutes(tokens: Sequence[_Token]) -> list[_Token]:
    """Tell minutes from months: they stand after hours, or before seconds."""
    told = list(tokens)
    units = [at for at, token in enumerate(tokens) if token.kind in ("date", "elapsed")]
    for place, at in enumerate(units):
        token = tokens[at]
        if token.kind != "date" or token.text[0] not in "mM" or len(token.text) > 2:
            continue
        before = tokens[units[place - 1]].text[0].lower() if place else ""
        after = tokens[units[place + 1]].text[0].lower() if place + 1 < len(units) else ""
        if before == "h" or after == "s":
            told[at] = _Token("minutes", token.text)
    return told


def _chosen(sections: Sequence[_Section], number: float) -> tuple[_Section | None, bool]:
    """The section for a number, and whether the sign is still to be shown."""
    figures = [section for section in sections[:4] if not section.has("text")]
    if not figures:
        return None, True
    for section in figures:
        if section.condition and _holds(number, section.condition):
            return section, True
    if any(section.condition for section in figures):
        return next((s for s in figures if not s.condition), None), True
    if number < 0 and len(figures) > 1:
        return figures[1], False
    if number == 0 and len(figures) > 2:
        return figures[2], True
    return figures[0], True


def _holds(number: float, condition: tuple[str, float]) -> bool:
    sign, bound = condition
    return {
        "<": number < bound, "<=": number <= bound, ">": number > bound, ">=": number >= bound,
        "=": number == bound, "<>": number != bound,
    }[sign]  # fmt: skip


def _plain(section: _Section) -> str:
    """Literals that are no text: a slash in it makes a fraction."""
    has_date = section.has("date", "elapsed")
    return "".join(t.text for t in section.tokens if t.kind == "literal" and not has_date)


def _general(number: Decimal) -> str:
    """A number as people write it, without the noise that binary fractions leave."""
    value = float(number)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    short = f"{value:.15g}"
    # No more digits than are known: the others would read as part of a long number.
    return f"{Decimal(short):f}" if 1e-15 < abs(value) < 1e15 else short.upper()


def _shown_by_mask(section: _Section, number: Decimal) -> str:
    """A number in a format of fractions or powers, with the words on both sides of it."""
    kinds = ("digits", "exponent")
    places = [at for at, token in enumerate(section.tokens) if token.kind in kinds]
    if not places:
        return _general(number)
    end = places[-1] + 1
    while end < len(section.tokens) and _LOWER_HALF.fullmatch(section.tokens[end].text):
        end += 1
    masked = section.tokens[places[0] : end]
    mask = "".join(token.text for token in masked)
    shown = shown_power(number, mask) or shown_fraction(number, mask) or _general(number)
    before, behind = section.tokens[: places[0]], section.tokens[end:]
    return "".join([*map(_literal, before), shown, *map(_literal, behind)]).strip()


def _affixed(section: _Section | None, shown: str) -> str:
    """A number in a format without digits of its own, with the words beside it."""
    if section is None or not section.has("general"):
        return shown
    pieces = [shown if token.kind == "general" else _literal(token) for token in section.tokens]
    return "".join(pieces).strip()


def _literal(token: _Token) -> str:
    return token.text if token.kind in ("quoted", "escaped", "currency", "literal") else ""


def _literals(tokens: Sequence[_Token]) -> str:
    return "".join(_literal(token) for token in tokens).strip()


def _shown_figure(section: _Section, number: Decimal) -> str:
    tokens = section.tokens
    percents = sum(t.text.count("%") for t in tokens if t.kind == "literal")
    places = [at for at, token in enumerate(tokens) if token.kind == "digits"]
    mask = "".join(tokens[at].text for at in places)
    whole, _, fraction = mask.partition(".")
    # Commas that follow the digits, and group none, divide by a thousand each.
    ends = (whole, fraction) if fraction else (whole,)
    thousands = sum(len(end) - len(end.rstrip(",")) for end in ends)
    scaled = number.scaleb(2 * percents - 3 * thousands, _EXACT)
    fraction = fraction.replace(",", "")[:_MAX_DIGITS]
    rounded = scaled.quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP, _EXACT)
    digits, _, decimals = f"{abs(rounded):f}".partition(".")
    grouped = "," in whole.rstrip(",").strip(",")
    optional = len(fraction) - len(fraction.rstrip("#?"))
    while optional and decimals.endswith("0"):
        decimals, optional = decimals[:-1], optional - 1
    minus = "-" if number < 0 and rounded else ""
    if len(places) > 1 and "." not in mask and not grouped:
        return minus + _spread(tokens, places, digits)
    least = whole.count("0")
    digits = digits.lstrip("0").rjust(min(least, _MAX_DIGITS), "0")
    if grouped and digits:
        digits = _in_groups(digits)
    shown = digits + ("." + decimals if decimals else "")
    pieces = [
        shown if at == places[0] else _literal(token)
        for at, token in enumerate(tokens)
        if at == places[0] or token.kind != "digits"
    ]
    return (minus + "".join(pieces)).strip()


def _in_groups(digits: str) -> str:
    head = len(digits) % 3
    groups = [digits[at : at + 3] for at in range(head, len(digits), 3)]
    return ",".join([digits[:head], *groups] if head else groups)


def _spread(tokens: Sequence[_Token], places: Sequence[int], digits: str) -> str:
    """Digits between literals, as in the format of a telephone number."""
    pieces: list[str] = []
    left = "" if digits == "0" else digits
    for at in reversed(range(len(tokens))):
        token = tokens[at]
        if token.kind != "digits":
            if left or at > places[0]:
                pieces.append(_literal(token))
            continue
        mask = token.text.replace(",", "")
        taken = left if at == places[0] else left[-len(mask) :]
        left = left[: len(left) - len(taken)]
        least = len(mask) - len(mask.lstrip("#?"))
        pieces.append(taken.rjust(len(mask) - least, "0"))
    return "".join(reversed(pieces)).strip()


def _shown_date(section: _Section, serial: float, *, since_1904: bool) -> str:
    days = serial + (_DAYS_TO_1904 if since_1904 else 0)
    if days < 0 or days > _LAST_SERIAL:
        return _general(Decimal(repr(serial)))
    if days < 60:
        days += 1 if days >= 1 else 0  # The first sheets took 1900 for a leap year.
    exact = any(t.kind == "digits" and t.text.startswith(".") for t in section.tokens)
    seconds = round(days * 86_400, 3 if exact else 0)
    moment = _EPOCH + datetime.timedelta(seconds=seconds)
    elapsed = round(serial * 86_400)
    halves = section.has("noon")
    return "".join(_date_part(token, moment, elapsed, halves=halves) for token in section.tokens)


def _date_part(token: _Token, moment: datetime.datetime, elapsed: int, *, halves: bool) -> str:
    unit, width = token.text[:1].lower(), len(token.text)
    if token.kind == "elapsed":
        count = elapsed // {"h": 3600, "m": 60, "s": 1}[unit]
        return str(count).rjust(width, "0")
    if token.kind == "minutes":
        return str(moment.minute).rjust(width, "0")
    if token.kind == "noon":
        return "AM" if moment.hour < 12 else "PM"
    if token.kind == "digits":
        fraction = f"{moment.microsecond:06}"[: width - 1]
        return "." + fraction if token.text.startswith(".") and width > 1 else token.text
    if token.kind != "date":
        return _literal(token)
    if unit == "h":
        hour = (moment.hour % 12 or 12) if halves else moment.hour
        return str(hour).rjust(min(width, 2), "0")
    if unit == "s":
        return str(moment.second).rjust(min(width, 2), "0")
    return _calendar_part(unit, width, moment)


def _calendar_part(unit: str, width: int, moment: datetime.datetime) -> str:
    if unit == "m" and width >= 3:
        month = _MONTHS[moment.month - 1]
        return {3: month[:3], 5: month[:1]}.get(width, month)
    if unit == "d" and width >= 3:
        day = _DAYS[moment.weekday()]
        return day[:3] if width == 3 else day
    if unit == "y" and width < 3:
        return f"{moment.year % 100:02}"
    if unit in "ye":
        return str(moment.year)
    number = {"m": moment.month, "d": moment.day}.get(unit)
    return str(number).rjust(width, "0") if number is not None else ""
