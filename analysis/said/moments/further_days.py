"""Days said in further languages: counted from today, or by day and month. Pure.

What could be a limit ("by tomorrow"), one of two ("tomorrow or later") or no ("not tomorrow") is
no day here: it is left unsupported. Names of months are those of CLDR.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple, cast

from babel.dates import get_month_names

from analysis.said.further.telling import FurtherLanguage, languages_told
from analysis.said.moments.calendar_words import any_of, calendar_day, nearest_of_years

_NAMED: dict[FurtherLanguage, dict[str, int]] = {
    "it": {"l'altro ieri": -2, "ieri": -1, "oggi": 0, "domani": 1, "dopodomani": 2},
    "pt": {"anteontem": -2, "ontem": -1, "hoje": 0, "amanhã": 1, "depois de amanhã": 2},
    "nl": {"eergisteren": -2, "gisteren": -1, "vandaag": 0, "overmorgen": 2},
    "sv": {"i förrgår": -2, "igår": -1, "i går": -1, "idag": 0, "i dag": 0}
    | {"imorgon": 1, "i morgon": 1, "i övermorgon": 2, "övermorgon": 2},
    "pl": {"przedwczoraj": -2, "wczoraj": -1, "dzisiaj": 0, "dziś": 0, "jutro": 1, "pojutrze": 2},
    "tr": {"evvelsi gün": -2, "dün": -1, "bugün": 0, "yar\u0131n": 1, "öbür gün": 2},
    "ko": {"그저께": -2, "어제": -1, "오늘": 0, "내일": 1, "모레": 2, "글피": 3},
}
"""Days from today. Dutch "morgen" is read as the German one is, and means the same."""
_IN_CONTEXT = re.compile(
    r"\b(?:entro|prima\s+di|dopo|fino\s+a|da|dal|non|até|antes\s+de|depois\s+de|desde|a\s+partir\s+de|não|"
    r"tot|voor|na|sinds|vanaf|niet|til|till|före|efter|från|sedan|inte|do|przed|po|od|nie|"
    r"o|oppure|ou|of|eller|lub|albo|czy)\s+$|"
    # The end of a range, "dal 3 al 5", and the last of several, "3 e 5".
    r"\d[.º°]?\s*(?:[-\u2013]|(?:al?|e|en|och|i|ve)\s)\s*$",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"\s*(?:,\s*)?(?:o|oppure|ou|of|eller|lub|albo|veya|ya\s+da|kadar|önce|sonra|değil)\b|"
    r"\s*(?:까지|부터|이전|이후|말고|아니|이나|나\s)",
    re.IGNORECASE,
)
_LOOK_CHARS = 24


class FurtherDay(NamedTuple):
    """A day that was said, and where it stands in its text."""

    start: int
    end: int
    day: date


def further_days(text: str, today: date | None) -> Iterator[FurtherDay]:
    """Yield the days that `text` certainly names in a further language, in no order.

    A day without a year is the one nearest to `today`; without `today` it is none.
    """
    for language in languages_told(text)[0]:
        if language not in _NAMED:
            continue
        for match in _pattern(language).finditer(text):
            before = text[max(0, match.start() - _LOOK_CHARS) : match.start()]
            if _IN_CONTEXT.search(before) or _GOES_ON.match(text, match.end()):
                continue
            day = _day(match, language, today)
            if day is not None:
                yield FurtherDay(match.start(), match.end(), day)


@lru_cache(maxsize=16)
def _pattern(language: FurtherLanguage) -> re.Pattern[str]:
    named = any_of(_NAMED[language])
    if language == "ko":
        dated = r"(?:(?P<year>\d{4})년\s*)?(?<!\d)(?P<month>\d{1,2})월\s*(?P<day>\d{1,2})일(?!간)"
        return re.compile(rf"(?<![가-힣])(?P<named>{named})|{dated}")
    months = any_of(_months(language))
    return re.compile(
        rf"(?<!\w)(?P<named>{named})(?!\w)|(?<![\w.,:/-])(?P<day>\d{{1,2}})[.º°]?\s+(?:de\s+|di\s+)?"
        rf"(?P<month>{months})(?!\w)(?:\s+(?:de\s+|del\s+)?(?P<year>\d{{4}})(?!\w))?",
        re.IGNORECASE,
    )


@lru_cache(maxsize=16)
def _months(language: FurtherLanguage) -> dict[str, int]:
    names = cast("Mapping[int, str]", get_month_names("wide", locale=language))
    return {name.casefold(): number for number, name in names.items()}


def _day(match: re.Match[str], language: FurtherLanguage, today: date | None) -> date | None:
    groups = match.groupdict()
    if groups["named"]:
        shift = _NAMED[language][groups["named"].casefold()]
        return None if today is None else today + timedelta(days=shift)
    said, day = groups["month"].casefold(), int(groups["day"])
    month = int(said) if said.isdecimal() else _months(language)[said]
    if groups["year"]:
        return calendar_day(int(groups["year"]), month, day)
    if today is None:
        return None
    return nearest_of_years(month, day, today)
