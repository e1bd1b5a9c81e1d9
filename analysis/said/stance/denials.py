"""Values that were named only to be turned down: `three, not two`, `any day except Friday`. Pure.

The particles, copulas and prepositions of sixteen languages are closed classes; what stands
further away from a value than they do is read by nobody here.
"""

import re

_SMALL = (
    r"(?:on|at|for|the|to|in|of|a|an|with|am|um|im|für|den|die|der|das|dem|le|la|les|l['\u2019]|à|de|du|pour|"
    r"el|los|las|al|para|il|lo|gli|alle|per|o|os|as|às|em|no|na|om|op|het|voor|w|na|do|в|на|для|"
    r"på|klockan|kl\.?|till|den|saat|only|unbedingt|wirklich|vraiment|really|actually|exactly|"
    r"definitely|quite|gerade|exactement|exactamente)"
)
_VERBS = (
    r"(?:is|are|was|were|be|been|am|want|need|have|take|mean|say|said|saying|order(?:ed)?|book(?:ed)?|get|do|"
    r"make|manage|called|named|heiße|heißt|me\s+llamo|se\s+llama|mi\s+chiamo|si\s+chiama|me\s+chamo|heet|heter|es|son|somos|fue|fueron|era|eran|quiero|queremos|necesito|dije|tengo|puedo|podemos|sono|è|"
    r"siamo|erano|voglio|ho\s+detto|posso|são|é|foram|foi|quero|preciso|disse|tenho|ist|sind|war|waren|est|"
    r"sommes|étaient|était|jest|są|było|är|var|det\s+är|это)"
)
_NOT = (
    r"(?:n['\u2019]t|\b(?:not|never|cannot|neither|nor|weder|ni|né|ani|varken|ни|nicht|kein(?:e[nrms]?)?|niemals|pas|jamais|no|nunca|non|mica|não|nem|"
    r"niet|geen|nie|не|inte|ingen|inga|ليس|ليست|ليسوا|لسنا|مش|لا)\b)"
)
_BEFORE = re.compile(rf"{_NOT}\s+(?:{_VERBS}\s+){{0,2}}(?:{_SMALL}\s+){{0,3}}$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b(?:room|house|flat|apartment|order|platform|gate|bus|line|page|track|case|ticket|invoice|"
    r"bed|seat|desk|box|number)\s+no\s+$",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"\b(?:nicht|pas|no|non|não|nie|не|inte|not)\s+(?:nur|only|just|solo|só)\s+$", re.I
)
_REPLACED = re.compile(
    r"\b(?:instead\s+of|rather\s+than|(?:an)?statt|au\s+lieu\s+de|plutôt\s+que|en\s+vez\s+de|en\s+lugar\s+de|"
    r"invece\s+(?:di|che)|em\s+vez\s+de|in\s+plaats\s+van|zamiast|вместо|i\s+stället\s+för|istället\s+för|بدلا\s+من|"
    r"used\s+to\s+(?:be|have)|no\s+longer|nicht\s+mehr|"
    r"except(?:\s+for|ing)?|other\s+than|apart\s+from|(?:any(?:thing|one|body)|every(?:thing|one|body)|"
    r"(?:any|every|all)\s+\w+)\s+but|außer|sauf|excepté|hormis|excepto|salvo|tranne|eccetto|exceto|behalve|"
    rf"oprócz|кроме|utom|förutom)\s+(?:{_SMALL}\s+){{0,2}}$",
    re.IGNORECASE,
)
_IDEOGRAPHS_BEFORE = re.compile(r"(?:不是|不要|不用|并非|並非|别|別)\s*$")
_AFTER = re.compile(
    r"(?:[^\W\d_]{0,3}(?:では|じゃ)(?:な[いく]|ありません)|[^\W\d_]{0,2}\s*(?:아니|말고)|"
    r"(?:['\u2019]?\w{1,12})?(?:\s+[^\W\d_]+)?\s+(?:değil\w*|नहीं)(?!\w)|"
    r"\s+(?:is|was|ist|war|est|es|è|é|is\s+also)\s+(?:wrong|incorrect|not\s+(?:right|correct|true)|falsch|"
    r"faux|incorrecto|sbagliato|errado|fout)(?!\w))",
    re.IGNORECASE,
)
_UNFIT_BEFORE = re.compile(
    r"\b(?:(?:can(?:['\u2019]t|not|\s+not)|couldn['\u2019]t)\s+(?:on|at|do|make|manage|come|be\s+there)|"
    r"(?:ne\s+)?peux\s+pas(?:\s+venir)?|no\s+puedo|kann\s+(?:ich\s+)?nicht)\s+"
    rf"(?:{_SMALL}\s+){{0,2}}$",
    re.IGNORECASE,
)
_UNFIT_AFTER = re.compile(
    r"\s+(?:really\s+|also\s+)?(?:(?:does|do|did|would|wo|ca)(?:n['\u2019]t|\s+not)\s+(?:really\s+)?(?:work|do|suit|"
    r"fit|be\s+possible)|(?:is|are)\s+(?:bad|no\s+good|(?:not|im)\s?possible|not\s+good|out)\b|"
    r"(?:geht|passt|klappt)\s+(?:[^\W\d_]+\s+){0,3}nicht|kann\s+(?:ich|er|sie|man)\s+(?:leider\s+)?nicht|"
    r"können\s+wir\s+(?:leider\s+)?nicht|(?:ça\s+)?ne\s+(?:me\s+|nous\s+)?(?:va|convient|marche)\s+pas|"
    r"(?:je\s+)?ne\s+peux\s+pas|no\s+(?:me\s+|nos\s+)?(?:va|viene|puedo|funciona|podemos))",
    re.IGNORECASE,
)
_LATIN_OR_CYRILLIC = re.compile(r"[A-Za-z\u00c0-\u024f\u0400-\u04ff]{2}")
_LOOK_CHARS = 48


def is_turned_down(text: str, words: str, *, as_moment: bool = False) -> bool:
    """Return whether `words` stand in `text` only to be turned down: `three, not two`.

    Args:
        text: Anything that was said.
        words: As they stand in it.
        as_moment: Whether they are a day or a time, which may not suit somebody.
    """
    if words.casefold().startswith("any "):
        return False
    start, found = text.find(words), False
    while start >= 0:
        end = start + len(words)
        if _is_inside_of_a_word(text, start):
            start = text.find(words, end)
            continue
        found = True
        before, after = text[max(0, start - _LOOK_CHARS) : start], text[end : end + _LOOK_CHARS]
        unfit = as_moment and (_UNFIT_BEFORE.search(before) or _UNFIT_AFTER.match(after))
        if not (unfit or _is_denied_here(before, after)):
            return False
        start = text.find(words, end)
    return found


def _is_inside_of_a_word(text: str, start: int) -> bool:
    """Return whether a letter stands before a place: the "morgen" of "übermorgen"."""
    return bool(start and _LATIN_OR_CYRILLIC.fullmatch(text[start - 1 : start + 1]))


def _is_denied_here(before: str, after: str) -> bool:
    if _IDEOGRAPHS_BEFORE.search(before) or _AFTER.match(after) or _REPLACED.search(before):
        return True
    denied = _BEFORE.search(before) is not None
    return denied and not (_NUMBERED.search(before) or _BOUND.search(before))
