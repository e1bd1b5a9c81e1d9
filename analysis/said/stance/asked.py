"""Values that were only asked about or supposed: `is it five?`, `if there were ten of us`. Pure."""

import re

_ENDS = re.compile(r"[.!;:\n\u3002\uff01]|\?|\uff1f|\u061f")
_ASKS = ("?", "\uff1f", "\u061f")
_ABOUT = re.compile(
    r"^[\s,\u00bf\"']*(?:(?:so|and|or|but|wait|hold\s+on|oh|hm+|also|und|et|y|e|euh|äh)[\s,]+)*(?:"
    r"(?:is|was|are|were)\s+(?:it|that|this|there|they|those|we|your|my|the)\b|"
    r"(?:could|would|might|will|should)\s+(?:it|that|this|there)\s+be\b|(?:did|do)\s+(?:you|i)\s+(?:say|mean)\b|"
    r"(?:ist|sind|war|waren|wären|wäre)\s+(?:es|das|sie|wir|der|die|ihr|mein)\b|(?:könnten|könnte)\s+(?:es|das)\b|"
    r"est-ce\s+que\s+c['\u2019](?:est|était)|c['\u2019]est\s+(?:bien|vraiment)\b|(?:est|était)-(?:ce|il|elle)\b|"
    r"(?:son|es|era|eran|fue|fueron|será|serán|sería)\b|(?:sono|è|erano|era|sarà)\b|(?:são|é|eram|foi)\b|"
    r"(?:is|zijn|was|waren)\s+(?:het|dat|er)\b|czy\s+(?:to|jest|są)\b|är\s+(?:det|vi|ni)\b)",
    re.IGNORECASE,
)
_TAG = re.compile(
    r",\s*(?:right|correct|yes|yeah|no|is\s+it|isn['\u2019]t\s+it|wasn['\u2019]t\s+it|oder|ja|richtig|stimmt['\u2019]?s?|"
    r"nicht\s+wahr|n['\u2019]est-ce\s+pas|c['\u2019]est\s+(?:ça|bien\s+ça)|verdad|no\s+es\s+así|vero|certo)\s*$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:else|more|other|another|sonst|noch|weiteres|autre\s+chose|más|algo|altro|mais|nog|jeszcze)\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if\b[^.,;!?]*\b(?:were|was|had|would\s+be)|(?:wenn|falls)\b[^.,;!?]*|(?:if\s+only|suppose|supposing|"
    r"let['\u2019]s\s+say\s+there\s+were)\b[^.,;!?]*|si\s+(?:on|nous|c['\u2019]|j['\u2019]|vous|ils)\b[^.,;!?]*\b"
    r"(?:était|étions|étais|étaient|avait|avais|avions)|si\s+(?:fuera|fuéramos|fueran|tuviera|tuviéramos|hubiera))"
    r"\b[^.,;!?]*$",
    re.IGNORECASE,
)
_GERMAN_SUPPOSED = re.compile(r"^[^.,;!?]*\b(?:wäre[nt]?|hätte[nt]?|würde[nt]?)\b", re.IGNORECASE)
_NO = re.compile(
    r"^\W*(?:no(?!t\b)|nope|nah|nein|nee|non|não|nie|нет|nej|hay\u0131r|いいえ|いや|不是|不对|아니|नहीं|لا)(?!\w)",
    re.IGNORECASE,
)
_LOOK_CHARS = 96


def question_around(text: str, words: str) -> str | None:
    """Return the question that `words` stand in, the last time they do; None where it is none."""
    start = text.rfind(words)
    if start < 0:
        return None
    close = _ENDS.search(text, start + len(words))
    if close is None or close.group() not in _ASKS:
        return None
    opened = 0
    for mark in _ENDS.finditer(text, 0, start):
        # A mark inside of a number ends nothing: "1.5".
        if text[mark.end() : mark.end() + 1].isspace() or mark.group() in _ASKS:
            opened = mark.end()
    return text[opened : close.start()]


def is_only_asked(text: str, words: str) -> bool:
    """Return whether `words` stand in a question whether it is so: `is it five?`.

    "Can I have five?" asks for five of them, and is none.
    """
    question = question_around(text, words)
    if question is None or text.find(words) != text.rfind(words):
        return False
    return _ABOUT.match(question) is not None


def is_refused(text: str, words: str, answer: str) -> bool:
    """Return whether `answer` says no to a question of `text` whether it is `words`."""
    question = question_around(text, words)
    if question is None or _NO.match(answer) is None:
        return False
    tag = _TAG.search(question)
    asked = question[: tag.start()] if tag else question
    clause = re.split(r"[,;]", asked)[-1]
    return words in clause and _MORE.search(clause) is None


def is_only_supposed(text: str, words: str) -> bool:
    """Return whether `words` stand only in a condition that is not so: `if we were ten`."""
    start = text.find(words)
    if start < 0 or text.find(words, start + len(words)) >= 0:
        return False
    supposed = _SUPPOSED.search(text[max(0, start - _LOOK_CHARS) : start])
    if supposed is None:
        return False
    if supposed.group().casefold().startswith(("wenn", "falls")):
        after = text[start + len(words) : start + len(words) + _LOOK_CHARS]
        return _GERMAN_SUPPOSED.search(supposed.group() + after) is not None
    return True
