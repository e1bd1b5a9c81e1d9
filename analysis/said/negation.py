"""Whether words were said only to be turned down. Pure."""

import re

from analysis.said.normal_form import folded

_DENIAL = re.compile(
    r"(?:\b(?:not|no|never|without|neither|nor|instead of|rather than|nicht|kein|keine|keinen|"
    r"keiner|keinem|ohne|statt|anstatt|pas|sans|aucun|aucune|jamais|plutôt que|sin|ningún|ninguna|"
    r"nunca|jamás|en vez de|en lugar de)\b|n't\b)(?!\s+(?:only|just|nur|solo|sólo|seulement)\b)",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.,;:!?]|\b(?:but|and|aber|sondern|mais|pero|sino|y|et|und)\b")
_REACH_CHARS = 48


def is_denied(text: str, words: str) -> bool:
    """Return whether every time that `words` stand in `text`, their clause denies them."""
    said, wanted = folded(text).text, folded(words).text.strip()
    start = said.find(wanted)
    if start < 0:
        return False
    while start >= 0:
        clause = _CLAUSE_END.split(said[max(0, start - _REACH_CHARS) : start])[-1]
        if not _DENIAL.search(clause):
            return False
        start = said.find(wanted, start + len(wanted))
    return True
