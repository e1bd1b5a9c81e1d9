"""How days are said, language by language: patterns over folded text with its words as digits.

What a match means is told by the names of its groups, which are the same in every language.
"""

import re
from functools import lru_cache

from analysis.said.language import Language
from analysis.said.moments.calendar_words import MONTHS, NAMED, UNITS, WEEKDAYS, any_of
from analysis.said.number_words import languages_tried

_YEAR = (
    r"(?:,?\s+(?:(?:of\s+|de\s+|del\s+)?(?P<year>\d{4}|(?:19|20) \d{2})|"
    r"'(?P<year_>\d{2})(?!\w)|(?P<year__>3[2-9]|[4-9]\d)(?=\s*(?:$|[.,;!?]|geboren|born))))?"
    r"(?![\d:])(?!\w)"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?"
_GOES_ON = {
    "en": "and|or|at|in|on|for|to|from|until|till|if|as|would|is|works|please",
    "de": "um|und|oder|bis|wäre|ist|geht|passt|bitte|ab|gegen|nachmittags|abends",
    "fr": "à|et|ou|vers|pour|si|est|serait|s'il",
    "es": "a|y|o|sobre|para|si|es|sería|por",
}


def _after_a_day(language: Language) -> str:
    """Return what follows "the 11th" where it is a day, and not the 11th of something."""
    return rf"(?=\s*(?:[.,;:?!)]|$|\b(?:{_GOES_ON[language]})\b))"


def _dayname(language: Language) -> str:
    names = any_of(WEEKDAYS[language])
    return rf"(?:\b(?P<dayname>{names})\s*,?\s+(?:(?:the|den|dem|der|le|el)\s+)?)?"


def _numeric(language: Language) -> tuple[str, ...]:
    name = _dayname(language)
    return (
        r"(?<![\w/.-])(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
        r"(?![\d/-])",
        rf"{name}(?<![\d.])(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\."
        rf"(?:\s?(?P<year>\d{{4}}|\d{{2}})(?![\d.:])|(?!\s?\d))",
        rf"{name}(?<![\w/.-])(?P<first>\d{{1,2}})(?:/(?P<second>\d{{1,2}})(?:/(?P<year>\d{{4}}|"
        rf"\d{{2}}))?|-(?P<second_>\d{{1,2}})-(?P<year_>\d{{4}}|\d{{2}}))(?![\w/-])",
    )


def _english() -> tuple[str, ...]:
    month, weekday = any_of(MONTHS["en"]), any_of(WEEKDAYS["en"])
    count, unit = r"(?P<count>\d+|an?)", rf"(?P<unit>{any_of(UNITS['en'])})"
    name = _dayname("en")
    return (
        rf"{name}\b{_DAY}\s+of\s+(?P<month>{month})\b\.?{_YEAR}",
        rf"{name}\b(?P<month>{month})\b\.?\s+(?:the\s+)?{_DAY}{_YEAR}",
        rf"{name}\b{_DAY}\s+(?P<month>{month})\b\.?{_YEAR}",
        rf"\b{count}\s+{unit}\s+(?:from|after|on)\s+(?:(?P<anchor>{any_of(NAMED['en'])})|"
        rf"(?P<weekday>{weekday})|(?P<now>now))\b",
        rf"\b(?:(?P<which>[1-5])(?:st|nd|rd|th)|(?P<final>last))\s+(?P<weekday>{weekday})\s+(?:in|of)\s+"
        rf"(?:(?P<of_month>{month})\b(?:\s+(?P<year>\d{{4}})\b)?|(?P<this_month>(?:the|this)\s+month)|"
        r"(?P<next_month>next\s+month))",
        rf"\b(?P<weekday>{weekday})\s+(?P<week_on>week)\b",
        r"\b(?P<week_from>today|tomorrow)\s+week\b",
        rf"\b(?:(?:next|this)\s+)?(?P<dayname>{weekday})\s*,?\s+(?:the\s+)?"
        rf"(?P<nth>\d{{1,2}})(?:st|nd|rd|th)\b{_after_a_day('en')}",
        rf"\b(?P<named>{any_of(NAMED['en'])})\b",
        rf"\b(?P<weekday>{weekday})(?:\s+of)?\s+(?:(?P<this_week>this)|(?P<next_week>next))\s+week\b",
        rf"\b(?:(?P<this_week>this)|(?P<next_week>next))\s+week(?:\s+on)?\s+(?P<weekday>{weekday})\b",
        rf"\b(?:(?P<last>last)\s+|(?P<next>next)\s+|(?:this|coming)\s+)?(?P<weekday>{weekday})\b",
        r"\b(?P<nth>\d{1,2})(?:st|nd|rd|th)\s+(?:of\s+)?(?:(?P<this_month>this)|(?P<next_month>next))"
        r"\s+month\b",
        rf"\b(?P<spoken>on\s+)?the\s+(?P<nth>\d{{1,2}})(?:st|nd|rd|th)\b{_after_a_day('en')}",
        rf"\bin\s+{count}\s+{unit}\b(?!\s+(?:time\s+)?(?:from|after|on)\b)",
        rf"\b{count}\s+{unit}\s+(?P<ago>ago)\b",
        rf"\b(?:the\s+)?end\s+of\s+(?:(?:the|this)\s+(?P<end>month)|next\s+(?P<end_next>month)|"
        rf"(?P<end_month>{month}))\b",
    )


def _german() -> tuple[str, ...]:
    month, weekday = any_of(MONTHS["de"]), any_of(WEEKDAYS["de"])
    count, unit = r"(?P<count>\d+|eine[mnr]?)", rf"(?P<unit>{any_of(UNITS['de'])})"
    no_morning = "".join(
        rf"(?<!\b{word} )"
        for word in ("guten", "am", "heute", "gestern", "jeden", "diesen", *WEEKDAYS["de"])
    )
    named = "|".join(
        rf"{no_morning}\b{word}" if word == "morgen" else rf"\b{word}" for word in NAMED["de"]
    )
    coming = r"(?:nächste[nrm]?|kommende[nrm]?)"
    return (
        rf"{_dayname('de')}\b{_DAY}\s*(?P<month>{month})\b\.?{_YEAR}",
        rf"\b(?P<dayname>{weekday})\s*,?\s+(?:der|den|dem)?\s*(?P<nth>\d{{1,2}})\."
        rf"{_after_a_day('de')}",
        rf"\b(?:(?P<which>[1-5])\.|(?P<final>letzte[nrm]?))\s+(?P<weekday>{weekday})\s+(?:im\s+|des\s+)?"
        rf"(?:(?P<of_month>{month})\b(?:\s+(?P<year>\d{{4}})\b)?|(?P<this_month>monats?)\b|"
        rf"(?P<next_month>{coming}\s+monats?)\b)",
        rf"\b(?:(?P<weekday>{weekday})|(?P<anchor>heute|morgen))\s+in\s+{count}\s+{unit}\b",
        rf"\b(?P<weekday>{weekday})\s+(?:in\s+)?(?:der\s+)?(?:(?P<this_week>diese[r]?)|"
        rf"(?P<next_week>{coming}))\s+woche\b",
        rf"\b(?:(?P<this_week>diese[r]?)|(?P<next_week>{coming}))\s+woche(?:\s+am)?\s+"
        rf"(?P<weekday>{weekday})\b",
        rf"(?P<named>{named})\b",
        rf"\b(?:(?P<last>letzte[nrm]?|vergangene[nrm]?)\s+|(?P<next>nächste[nrm]?)\s+|"
        rf"(?:diese[nrm]?|kommende[nrm]?)\s+)?(?P<weekday>{weekday})\b",
        rf"\b(?P<spoken>am|zum|vom|der|den|dem)\s+(?P<nth>\d{{1,2}})\.{_after_a_day('de')}",
        rf"\bin\s+{count}\s+{unit}\b",
        rf"\b(?P<ago>vor)\s+{count}\s+{unit}\b",
        rf"\bende\s+(?:(?:des|dieses)\s+(?P<end>monats)|{coming}\s+(?P<end_next>monats)|"
        rf"(?P<end_month>{month}))\b",
        r"\b(?P<end>monatsende)\b",
    )


def _french() -> tuple[str, ...]:
    month, weekday = any_of(MONTHS["fr"]), any_of(WEEKDAYS["fr"])
    count, unit = r"(?P<count>\d+|une?)", rf"(?P<unit>{any_of(UNITS['fr'])})"
    return (
        rf"{_dayname('fr')}\b{_DAY}\s+(?P<month>{month})\b\.?{_YEAR}",
        rf"\b(?P<weekday>{weekday})\s+en\s+(?P<weeks_on>8|15)\b",
        rf"\b(?P<weekday>{weekday})\s+de\s+(?:(?P<this_week>cette)\s+semaine|"
        rf"(?P<next_week>la\s+semaine\s+prochaine))\b",
        rf"(?<!\w)(?P<named>{any_of(NAMED['fr'])})\b",
        rf"\b(?P<weekday>{weekday})(?:\s+(?:(?P<next>prochain)|(?P<last>dernier|passé)))?\b",
        rf"\b(?P<spoken>le)\s+(?P<nth>\d{{1,2}}){_after_a_day('fr')}",
        rf"\bdans\s+{count}\s+{unit}\b",
        rf"\b(?P<ago>il\s+y\s+a)\s+{count}\s+{unit}\b",
        rf"\bfin\s+(?:(?:du|de\s+ce)\s+(?P<end>mois)(?!\s+prochain)|du\s+(?P<end_next>mois)\s+"
        rf"prochain|(?:de\s+|d')?(?P<end_month>{month}))\b",
    )


def _spanish() -> tuple[str, ...]:
    month, weekday = any_of(MONTHS["es"]), any_of(WEEKDAYS["es"])
    count, unit = r"(?P<count>\d+|una?)", rf"(?P<unit>{any_of(UNITS['es'])})"
    named = "|".join(
        r"(?<!\bla )(?<!\besta )(?<!\bcada )\bmañana" if word == "mañana" else rf"\b{word}"
        for word in NAMED["es"]
    )
    coming = r"(?:próxima\s+semana|semana\s+(?:que\s+viene|próxima))"
    return (
        rf"{_dayname('es')}\b{_DAY}\s+de\s+(?P<month>{month})\b\.?{_YEAR}",
        rf"\b(?P<weekday>{weekday})\s+de\s+(?:(?P<this_week>esta)\s+semana|la\s+"
        rf"(?P<next_week>{coming}))\b",
        rf"(?P<named>{named})\b",
        rf"\b(?:(?:próximo|este)\s+|(?P<last>pasado\s+))?(?P<weekday>{weekday})"
        rf"(?:\s+(?:que\s+viene|próximo|(?P<last_>pasado)))?\b",
        rf"\b(?P<spoken>el)\s+(?:día\s+)?(?P<nth>\d{{1,2}}){_after_a_day('es')}",
        rf"\b(?:en|dentro\s+de)\s+{count}\s+{unit}\b",
        rf"\b(?P<ago>hace)\s+{count}\s+{unit}\b",
        rf"\b(?:fin|fines|final|finales)\s+(?:del?\s+(?:este\s+)?(?P<end>mes)\b(?!\s+(?:que|próximo))|"
        rf"del?\s+(?:(?P<end_next>mes)\s+(?:que\s+viene|próximo)|próximo\s+(?P<end_next_>mes))|"
        rf"de\s+(?P<end_month>{month}))\b",
    )


@lru_cache(maxsize=8)
def day_patterns(language: Language | None) -> tuple[tuple[Language, re.Pattern[str]], ...]:
    """Return the patterns of a language, the surest first; of every language where it is None."""
    own = {"en": _english, "de": _german, "fr": _french, "es": _spanish}
    return tuple(
        (tried, re.compile(pattern))
        for tried in languages_tried(language)
        for pattern in (*_numeric(tried), *own[tried]())
    )
