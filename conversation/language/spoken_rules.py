"""How rules of speech are written: a pattern, and words for what it matches. Pure."""

import re
from collections.abc import Callable, Iterable

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str]]

ALONE = r"(?<![\w.,:/@-])"
"""Before a number that stands by itself."""


def rule(pattern: str, words: Callable[[Match], str]) -> Rule:
    """A rule: what `pattern` matches is said as `words` of the match."""
    return re.compile(pattern), words


def apply_rules(text: str, rules: Iterable[Rule]) -> str:
    """`text` after every rule, in order."""
    for pattern, words in rules:
        text = pattern.sub(words, text)
    return text
