"""Names of days and months, and words for days that are counted from today, by language. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, cast

from babel.dates import get_day_names, get_month_names

from analysis.said.language import LANGUAGES, Language


def _months(language: Language) -> dict[str, int]:
    found = {"sept": 9} if language == "en" else {}
    widths: tuple[Literal["abbreviated", "wide"], ...] = ("abbreviated", "wide")
    for width in widths:
        names = cast("Mapping[int, str]", get_month_names(width, locale=language))
        found |= {name.casefold().rstrip("."): number for number, name in names.items()}
    return found


MONTHS: dict[Language, dict[str, int]] = {language: _months(language) for language in LANGUAGES}
WEEKDAYS: dict[Language, dict[str, int]] = {
    language: {
        name.casefold(): number
        for number, name in cast(
            "Mapping[int, str]", get_day_names("wide", locale=language)
        ).items()
    }
    for language in LANGUAGES
}
"""From 0, which is Monday."""
WEEKDAYS["de"]["sonnabend"] = 5
NAMED: dict[Language, dict[str, int]] = {
    "en": {
        **{"day after tomorrow": 2, "day before yesterday": -2, "today": 0, "tonight": 0},
        **{"tomorrow": 1, "yesterday": -1},
    },
    "de": {
        **{"übermorgen": 2, "vorgestern": -2, "heute": 0, "morgen": 1, "gestern": -1},
    },
    "fr": {
        **{"après-demain": 2, "avant-hier": -2, "aujourd'hui": 0, "demain": 1, "hier": -1},
        **{"ce soir": 0},
    },
    "es": {
        **{"pasado mañana": 2, "anteayer": -2, "hoy": 0, "mañana": 1, "ayer": -1},
        **{"esta noche": 0, "esta tarde": 0},
    },
}
UNITS: dict[Language, dict[str, tuple[int, str]]] = {
    "en": {
        **{"day": (1, "day"), "days": (1, "day"), "week": (7, "day"), "weeks": (7, "day")},
        **{"fortnight": (14, "day"), "fortnights": (14, "day"), "month": (1, "month")},
        **{"months": (1, "month"), "year": (12, "month"), "years": (12, "month")},
    },
    "de": {
        **{"tag": (1, "day"), "tage": (1, "day"), "tagen": (1, "day"), "woche": (7, "day")},
        **{"wochen": (7, "day"), "monat": (1, "month"), "monate": (1, "month")},
        **{"monaten": (1, "month"), "jahr": (12, "month"), "jahren": (12, "month")},
    },
    "fr": {
        **{"jour": (1, "day"), "jours": (1, "day"), "semaine": (7, "day")},
        **{"semaines": (7, "day"), "mois": (1, "month"), "an": (12, "month")},
        **{"ans": (12, "month"), "quinzaine": (14, "day")},
    },
    "es": {
        **{"día": (1, "day"), "días": (1, "day"), "semana": (7, "day"), "semanas": (7, "day")},
        **{"mes": (1, "month"), "meses": (1, "month"), "año": (12, "month")},
        **{"años": (12, "month")},
    },
}
"""What each unit of time is in days or months."""


def any_of(names: Iterable[str]) -> str:
    """Return a pattern of any of `names`, the longest first."""
    return "|".join(sorted(names, key=len, reverse=True))


def calendar_day(year: int, month: int, day: int) -> date | None:
    """Return the day, or None where the calendar has none such."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def nearest_day(days: Iterable[date | None], today: date) -> date | None:
    """Return which of `days` is nearest to today; those that no calendar has count nothing."""
    known = (day for day in days if day is not None)
    return min(known, key=lambda day: abs(day - today), default=None)


def nearest_of_years(month: int, day: int, today: date) -> date | None:
    """Return the day that is nearest to today: of this year, the last one or the next."""
    years = range(today.year - 1, today.year + 2)
    return nearest_day((calendar_day(year, month, day) for year in years), today)
