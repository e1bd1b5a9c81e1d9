"""Counts without a number: `no children`, `none`, `just me`. Pure."""

import re

from analysis.said.further.tables import value_of
from analysis.said.numerals import SaidNumber
from kb.words.languages import function_words
from kb.words.spelling import folded

_ALONE = re.compile(
    r"\b(?:(?:just|only)\s+(?:me|myself)|nur\s+(?:ich|mich|für\s+mich)|(?:juste|seulement|que)\s+moi|"
    r"(?:sólo|solo|solamente)\s+(?:yo|para\s+mí))\b(?!\s+and\b|\s+und\b|\s+et\b|\s+y\b|'s?)",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"^\W*(?:(?:i|we)(?:['\u2019]ve|\s+have)(?:\s+got)?\s+|there\s+(?:are|is)\s+)?"
    r"(?:none|zero|nobody|no one|nothing|not any|keine?[rs]?|niemand|gar keine|aucune?|"
    r"personne|ningun[oa]|nadie)(?:\s+at\s+all)?\W*$",
    re.IGNORECASE,
)
_NO_PLURAL = re.compile(
    r"\b(?:(?:no\s+(?:tengo|tenemos|hay)|não\s+(?:tenho|temos|há)|no|any|keine|aucune?|pas\s+de|sin|"
    r"ningún)\s+|pas\s+d['\u2019]\s*)(?P<what>[^\W\d_]{3,})",
    re.IGNORECASE,
)
_NOT_ANY = re.compile(r"(?:n['\u2019]t|\bnot|\bwithout)\s+(?:[^\W\d_]+\s+){0,3}$", re.IGNORECASE)
_IRREGULAR_PLURALS = frozenset({"children", "people", "men", "women", "kinder", "gäste"})
_IDIOM_LIST = (
    "thanks worries problems questions ideas doubts news means plans less yes this has was "
    "ahnung frage sorge sorgen fragen probleme zeit lust angst soucis doutes idées problèmes "
    "problemas dudas gracias idea"
)
_IDIOMS = frozenset(_IDIOM_LIST.split())
"""What people say they have none of, and count nothing with."""


def counted_without_number(text: str, *, alone: bool) -> list[SaidNumber]:
    """Return the counts that `text` tells without naming a number.

    Args:
        text: Anything that was said.
        alone: Whether no number stands beside them: one who names others is not alone.
    """
    if alone and (me := _ALONE.search(text)):
        return [SaidNumber(me.start(), me.group(), (1.0,))]
    if none := _NONE.match(text):
        words = none.group().strip(" .,;:!?\"'\n\t")
        return [SaidNumber(text.find(words), words, (0.0,))]
    return [
        SaidNumber(found.start(), found.group(), (0.0,))
        for found in _NO_PLURAL.finditer(text)
        if _counts(text, found)
    ]


def _counts(text: str, found: re.Match[str]) -> bool:
    what = found["what"].casefold()
    first = found.group().split()[0].casefold()
    if first == "any" and not _NOT_ANY.search(text[max(0, found.start() - 40) : found.start()]):
        return False
    if first == "no" and any(folded(what) in function_words(each) for each in ("es", "pt", "it")):
        # "No más de diez", "no somos".
        return False
    if any(value_of(folded(what), each) is not None for each in ("es", "pt")):
        # "Não temos dois" has a number.
        return False
    plural = what.endswith(("s", "en", "er")) if first == "keine" else what.endswith("s")
    return what not in _IDIOMS and (plural or what in _IRREGULAR_PLURALS)
