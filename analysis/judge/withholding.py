"""What a user says to the judge rather than to the agent is kept from it. Pure.

A transcript is data, but small models obey whoever speaks last. Words that name verdicts, order an
answer, or imitate the form of a prompt are withheld from the prompt and replaced by a notice; the
transcript itself, and the evidence that is checked against it, stay as they are.
"""

import re

NOTICE = "(words to the examiner withheld)"

_GAP = r"[^.!?\n]{0,40}?"
_MATTER = r"(?:call|conversation|chat|interaction|transcript|session|dialogue|evaluation|this|it)"
_OUTCOME = (
    r"(?:success\w*|successful\w*|fail(?:ed|ure|ing)?|unsuccessful\w*|pass(?:ed|ing)?|unknown|"
    r"(?:fully |completely )?(?:resolved|unresolved)|perfect|top marks|full marks)"
)
_JUDGING = (
    r"(?:mark|rate|count|label|classif(?:y|ied)|grade|score|judge|evaluate|treat|record|log|deem|"
    r"flag|rule|assess)(?:s|d|ed)?"
)

_TO_TURN_END = re.compile(
    "|".join(
        (
            r"<\|[^|>\n]{0,40}\|>",
            r"</?\s*(?:transcript|system|instructions?|s)\b[^>\n]{0,20}>",
            r"\[/?INST\]|<</?SYS>>",
            r"\[\d{1,4}\]\s*(?:agent|user|system|assistant)\s*:",
            r"(?:^|(?<=[\s>]))(?:system|assistant|developer)\s*:",
            r"\{\s*[\"'](?:verdict|score|result|rationale|criterion|fields?)[\"']\s*:",
            r"(?:^|\n)\s*#{2,}\s*\w+",
        )
    ),
    re.IGNORECASE,
)
"""Forms of a prompt: all that follows in the turn belongs to them."""

_TO_CLAUSE_END = re.compile(
    "|".join(
        (
            rf"\b{_JUDGING}\b{_GAP}\b{_MATTER}\b{_GAP}\b{_OUTCOME}\b",
            rf"\b{_MATTER}\b{_GAP}\b(?:counts?|qualif(?:y|ies)|goes down)\s+as\b{_GAP}"
            rf"\b{_OUTCOME}\b",
            r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}?\b(?:rules?|prompts?|"
            r"instructions?|guidelines?|criteri(?:on|a)|transcript|above|previous)\b",
            r"\b(?:verdict|rationale|criteri(?:on|a))\s*[\"']?\s*(?::|=|is\b|was\b|are\b|must\b|"
            r"should\b|will\b|to be\b|has\b)",
            r"\b(?:answer|reply|respond|output|return|conclude)\s+(?:(?:with|only|just|always)\s+)*"
            r"[\"']?(?:yes|no|true|false|success|failure|unknown)\b",
            r"\b(?:answer|reply|respond)\b[^.!?\n]{0,20}\b(?:one|a single) word\b",
            r"\b(?:evaluation|evaluator|examiner|grader|judge|reviewer|whoever (?:reads|reviews|"
            rf"judges|checks))\b[^.!?\n]{{0,60}}?\b(?:{_OUTCOME}|must|should|shall|has to)\b",
            r"\byou are (?:now )?(?:an? |the )?(?:ai|language model|judge|examiner|evaluator|"
            r"grader)\b",
        )
    ),
    re.IGNORECASE,
)
"""Orders to a judge: what follows up to the next pause or `and` belongs to them."""

_CLAUSE_END = re.compile(r"[.!?,;]+(?=\s|$)|\n|\s(?:and|but)\s", re.IGNORECASE)
"""Speech that was written down by a machine often has no full stop."""

VERSION_PARTS = (NOTICE, _TO_TURN_END.pattern, _TO_CLAUSE_END.pattern, _CLAUSE_END.pattern)
"""What a prompt depends on here; part of its version."""


def without_words_to_judge(text: str) -> str:
    """Return what a user said without the words that are meant for a judge."""
    imitated = _TO_TURN_END.search(text)
    rest = text[: imitated.start()] if imitated else text
    return _without_orders(text, rest, withheld=imitated is not None)


def without_orders_to_judge(text: str) -> str:
    """Return what a tool gave without orders to a judge; JSON and markup in it stay."""
    return _without_orders(text, text, withheld=False)


def _without_orders(text: str, rest: str, *, withheld: bool) -> str:
    kept: list[str] = []
    while order := _TO_CLAUSE_END.search(rest):
        kept.append(rest[: order.start()])
        end = _CLAUSE_END.search(rest, order.end())
        rest = rest[end.end() :] if end else ""
        withheld = True
    kept.append(rest)
    if not withheld:
        return text
    return " ".join([*(part.strip() for part in kept if part.strip()), NOTICE])
