"""Whether words were said only to be turned down. Pure."""

import re

from analysis.said.normal_form import folded

_DENIAL = re.compile(
    r"(?:\b(?:not|no|never|without|neither|nor|instead of|rather than|nicht|kein|keine|keinen|"
    r"keiner|keinem|ohne|statt|anstatt|pas|sans|aucun|aucune|jamais|plutôt que|sin|ningún|ninguna|"
    r"nunca|jamás|en vez de|en lugar de|non|nessun[oa]?|senza|invece di|não|nem|sem|niet|"
    r"geen|zonder|nie|bez|zamiast|не|нет|без|вместо|لا|ليس|بدون)\b|n't\b)"
    r"(?!\s+(?:only|just|nur|solo|sólo|seulement)\b)",
    re.IGNORECASE,
)
_DENIED_IDEOGRAPHS = re.compile(
    r"(?:不要|不用|不是|不想要?|不需要|別|别|没有?|沒有?|無需|无需)[^.,;:!?。、\s]{0,4}$"
)
_DENIED_AFTER = re.compile(
    r"\s*(?:(?:では|じゃ)(?:な[いく]|ありません)|は(?:いりません|要りません|いらない|不要|結構)|"
    r"(?:은|는|이|가)?\s*(?:말고|아니|필요\s*없|안\s)|नहीं|不要|不用)"
)
_CLAUSE_END = re.compile(
    r"[.,;:!?。、]|\b(?:but|and|aber|sondern|mais|pero|sino|y|et|und|ma|bensì|mas|"
    r"maar|ale|tylko|lecz|\u0430|но)\b"
)
_REACH_CHARS = 48
_LOOK_AFTER_CHARS = 12


def is_denied(text: str, words: str) -> bool:
    """Return whether every time that `words` stand in `text`, their clause denies them."""
    said, wanted = folded(text).text, folded(words).text.strip()
    start = said.find(wanted)
    if start < 0:
        return False
    while start >= 0:
        clause = _CLAUSE_END.split(said[max(0, start - _REACH_CHARS) : start])[-1]
        end = start + len(wanted)
        if not (
            _DENIAL.search(clause)
            or _DENIED_IDEOGRAPHS.search(clause)
            or _DENIED_AFTER.match(said[end : end + _LOOK_AFTER_CHARS])
        ):
            return False
        start = said.find(wanted, start + len(wanted))
    return True
