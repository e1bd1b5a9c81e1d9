"""Values that were masked once, found again in a time that does not follow how many there are."""

from bisect import insort
from collections.abc import Iterator
from operator import neg

from analysis.privacy.pii import PIISpan
from conversation.agent.privacy_config import PIIKind

_KEY_CHARS = 4


class KnownValues:
    """What stands for itself wherever it is a word, in whatever case, whoever says it."""

    def __init__(self) -> None:
        """Know nothing."""
        self._values: dict[str, tuple[PIIKind, str]] = {}
        self._lengths: dict[str, list[int]] = {}
        """Of values, by how they begin; the longest first."""

    def add(self, shown: str, kind: PIIKind, value: str) -> None:
        """Know `shown`, of four characters or more, as a form of `value`."""
        form = _folded(shown)
        if form not in self._values:
            self._values[form] = kind, value
            lengths = self._lengths.setdefault(form[:_KEY_CHARS], [])
            if len(form) not in lengths:
                insort(lengths, len(form), key=neg)

    def find(self, text: str) -> Iterator[PIISpan]:
        """Where `text` holds a form that is known, no letter or digit beside it."""
        if not self._values:
            return
        form = _folded(text)
        for start in range(len(form) - _KEY_CHARS + 1):
            lengths = self._lengths.get(form[start : start + _KEY_CHARS])
            if lengths is None or (start and _is_of_word(text[start - 1])):
                continue
            for length in lengths:
                end = start + length
                if end > len(form) or (end < len(form) and _is_of_word(text[end])):
                    continue
                if (known := self._values.get(form[start:end])) is not None:
                    yield PIISpan(known[0], start, end, known[1])


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _folded(text: str) -> str:
    """Small letters, as many characters as `text`."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(map(_small, text))


def _small(char: str) -> str:
    lower = char.lower()
    return lower if len(lower) == 1 else char
