"""English: dates and times of day -> words. Pure."""

from conversation.language.number_words import cardinal, decimal, digit_by_digit, ordinal, year
from conversation.language.spoken_rules import ALONE, Match, Rule, rule

_MONTH_NAMES = (
    "January February March April May June July August September October November December"
)
MONTHS = _MONTH_NAMES.split()
_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|Jun(?:e|\.)?"
    r"|Jul(?:y|\.)?|Aug(?:ust|\.)?|Sep(?:tember|t\.?|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?"
    r"|Dec(?:ember|\.)?)"
)
_DAY = r"(?P<day>0?[1-9]|[12][0-9]|3[01])(?:st|nd|rd|th)?"
YEAR = r"(?P<year>1[1-9][0-9]{2}|20[0-9]{2})"
_TIME = r"(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?"
_HALF_DAY = r"(?:\s?(?P<half>[aApP])\.?[mM]\b(?:\.(?=\s+[a-z]))?)?"


def _month_day(match: Match) -> str:
    name = next(name for name in MONTHS if name.startswith(match["month"][:3]))
    said = f"{name} {ordinal(match['day'])}"
    return f"{said}, {year(match['year'])}" if match["year"] else said


def _decade(match: Match) -> str:
    """`1990s`, and `'90s` or "the 90s", which are no seconds."""
    digits: str = match["year"]
    words = year(digits) if len(digits) == 4 else cardinal(digits)
    return (words[:-1] + "ies") if words.endswith("y") else f"{words}s"


def iso_date(match: Match) -> str:
    """Groups `year`, `m` and `day` as a date; digit by digit if there is no such day."""
    month, day = int(match["m"]), int(match["day"])
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return digit_by_digit(match["year"] + match["m"] + match["day"])
    return f"{MONTHS[month - 1]} {ordinal(match['day'])}, {year(match['year'])}"


def _slash_date(match: Match) -> str:
    first, second = int(match["a"]), int(match["b"])
    if first > 12 >= second >= 1 and first <= 31:
        first, second = second, first
    elif not (1 <= first <= 12 < second <= 31):
        # Either could be the month: say what stands there.
        parts = (cardinal(str(int(match["a"]))), cardinal(str(int(match["b"]))))
        return f"{parts[0]} slash {parts[1]} slash {year(match['year'])}"
    return f"{MONTHS[first - 1]} {ordinal(str(second))}, {year(match['year'])}"


def _dotted_date(match: Match) -> str:
    month, day = int(match["m"]), int(match["day"])
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return " point ".join(map(cardinal, (match["day"], match["m"], match["year"])))
    return f"{MONTHS[month - 1]} {ordinal(match['day'])}, {year(match['year'])}"


def time_of_day(match: Match) -> str:
    """Groups `hour`, `minute`, `second` and, where there are such, `half` and `fraction`."""
    groups = match.groupdict()
    half, fraction = groups.get("half"), groups.get("fraction")
    hour, minute = match["hour"], match["minute"]
    said = cardinal(str(int(hour)))
    if minute != "00":
        ones = minute if minute[0] != "0" else f"oh {cardinal(minute[1])}"
        said += f" {ones if minute[0] == '0' else cardinal(minute)}"
    elif half is None:
        said += " o'clock"
    if match["second"]:
        second = str(int(match["second"]))
        whole = decimal(second, fraction) if fraction else cardinal(second)
        said += f" and {whole} second{'' if whole == 'one' else 's'}"
    return said + (f" {half.upper()} M" if half else "")


def _clock(match: Match) -> str:
    return time_of_day(match) + (" U T C" if match["utc"] else "")


def _hour_only(match: Match) -> str:
    return f"{cardinal(str(int(match['hour'])))} {match['half'].upper()} M"


def _time_of_range(match: Match) -> str:
    minute = match["minute"]
    said = cardinal(str(int(match["hour"])))
    if minute == "00":
        return f"{said} o'clock"
    return f"{said} oh {cardinal(minute[1])}" if minute[0] == "0" else f"{said} {cardinal(minute)}"


DATE_RULES: tuple[Rule, ...] = (
    rule(r"(?<![\w.,/:-])(?P<year>1[1-9][0-9]0|20[0-9]0)['\u2019]?s\b", _decade),
    rule(
        r"(?:(?<![\w'\u2019])['\u2019\u2018]|(?i:(?<=\bthe )|(?<=\bearly )|(?<=\blate )"
        r"|(?<=\bmid ))['\u2019\u2018]?)(?P<year>[1-9]0)['\u2019]?s\b"
        # "the 30s limit" counts seconds.
        r"(?=\s*(?:[,.;:!?)]|$|(?:and|or|was|were|when|had|saw|as|to|in)\b))",
        _decade,
    ),
    rule(
        rf"{ALONE}(?P<year>[0-9]{{4}})-(?P<m>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:T(?=[0-9])|(?!\d))",
        lambda match: iso_date(match) + (", " if match.group().endswith("T") else ""),
    ),
    rule(
        rf"{ALONE}(?P<a>[0-9]{{1,2}})/(?P<b>[0-9]{{1,2}})/(?P<year>[0-9]{{4}})(?!\d)", _slash_date
    ),
    rule(
        rf"{ALONE}(?P<day>[0-9]{{1,2}})\.(?P<m>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}})(?![.\w])",
        _dotted_date,
    ),
    rule(rf"\b{_MONTH}\s{_DAY}(?:,?\s{YEAR})?(?![\w])", _month_day),
    rule(rf"\b{_DAY}\s{_MONTH}(?:,?\s{YEAR})?(?!\w)", _month_day),
    rule(
        rf"(?<![\w:]){_TIME}(?=\s?[-\u2013]\s?[0-9])(?P<half>)\s?[-\u2013]\s?",
        lambda match: _time_of_range(match) + " to ",
    ),
    rule(rf"(?<![\w:]){_TIME}(?P<utc>Z)?{_HALF_DAY}(?![:\w])", _clock),
    rule(
        r"(?<=[0-9])(?P<half>\s?[aApP]\.?[mM]\.?)\s?[-\u2013]\s?(?=[0-9]{1,2}(?::[0-9]{2})?\s?[aApP]\.?[mM])",
        lambda match: f"{match['half']} to ",
    ),
    rule(r"\b(?P<hour>1[0-2]|[1-9])\s?(?P<half>[aApP])\.?[mM]\b(?:\.(?=\s+[a-z]))?", _hour_only),
)
