"""Words that say that an answer is not known. Pure."""

import re

from conversation.language.telling_words import plain_quotes

_NOT = r"(?:\s+not|n't)"
_UNKNOWING = re.compile(
    rf"\b(?:i|we)\s+(?:do|did|could|can){_NOT}\s+(?:\w+\s+)?(?:know|find|see|say|tell|answer)\b"
    rf"|\b(?:i|we)\s+(?:do|did){_NOT}\s+have\s+(?:\w+\s+){{0,3}}(?:information|details?|answer)\b"
    rf"|\b(?:i|we)\s+cannot\s+(?:find|see|say|tell|answer|confirm)\b"
    rf"|\b(?:i'm|i am|we're|we are)\s+(?:not\s+(?:sure|certain|aware|able)|unable)\b"
    r"|\b(?:documents?|documentation|passages?|information|text|context|sources?)\b[^.!?]{0,40}?"
    rf"\b(?:do|does|did){_NOT}\s+(?:\w+\s+)?"
    r"(?:mention|specif|provide|contain|say|state|include|cover|address|answer|have|give|list)"
    r"|\b(?:is|'s|have|has|found|find|see)\s+no\s+(?:\w+\s+)?(?:information|mention|details?|answer)\b"
    r"|\b(?:documents?|documentation|passages?|information|text|context|sources?|i|we)\s+"
    r"(?:say|says|have|has|hold|holds|contain|contains|mention|mentions|know|find|found)\s+nothing\b"
    r"|\bno\s+(?:sentence|passage|document)\b[^.!?]{0,30}\b(?:fits|matches|says|answers)\b"
    r"|\bnot\s+(?:mentioned|specified|provided|covered|stated|answered)\s+(?:in|by)\s+the\b",
    re.IGNORECASE,
)


def admits_not_knowing(text: str) -> bool:
    """Whether the text says that the answer is not known or not in the documents."""
    return _UNKNOWING.search(plain_quotes(text)) is not None
