"""How many words differ between what was said and what was heard."""

import re
from collections.abc import Sequence

from conversation import spoken_form

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def words(text: str) -> list[str]:
    """Words in lower case, numbers as they are spoken."""
    # "7-8-9" is no calculation.
    spoken = spoken_form(text.lower().replace("-", " "), "en").replace("-", " ")
    return [match.group() for match in _WORD.finditer(spoken)]


def edits(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to put in, take out or exchange."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, start=1):
        before, row[0] = row[0], number
        for at, other in enumerate(heard, start=1):
            kept = before + (word != other)
            before, row[at] = row[at], min(kept, row[at] + 1, row[at - 1] + 1)
    return row[-1]


def error_rate(pairs: Sequence[tuple[str, str]]) -> float:
    """Edits in all pairs of said and heard, for each word that was said."""
    counted = [(words(said), words(heard)) for said, heard in pairs]
    return sum(edits(*each) for each in counted) / max(1, sum(len(said) for said, _ in counted))
