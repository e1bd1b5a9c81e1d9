"""Weekdays that are no single day, and alternatives: `every Monday`, `Tuesday or Friday`. Pure."""

import re
from collections.abc import Sequence
from typing import Protocol

_NOT_ONE_DAY_BEFORE = re.compile(
    r"\b(?:every(?:\s+other)?|each|all|most|black|good|ash|cyber|easter|palm|maundy|shrove|holy|whit|"
    r"jede[nmr]?|alle|karf?|todos\s+los|los|cada|chaque|tous\s+les|les|"
    r"(?:day|night|morning|weekend|tage?|jour|día)\s+(?:before|after|vor|nach|avant|après|antes\s+del?|"
    r"después\s+del?))\s+$",
    re.IGNORECASE,
)
_NOT_ONE_DAY_AFTER = re.compile(
    r"\s+after\s+next\b|['\u2019]s\s+(?:issue|edition)\b", re.IGNORECASE
)
_OR = re.compile(
    r"\s*,?\s*\b(?:or|oder|ou|o)\s+(?:(?:on|at|am|um|le|el|à|a|las?|the|maybe|vielleicht)\s+)*",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"\s*(?:,|\b(?:or|and|oder|und|ou|et|o|y)\b)\s*(?:(?:on|am|le|el|the)\s+)?", re.IGNORECASE
)
_LOOK_CHARS = 40


class _Said(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def words(self) -> str: ...


def is_no_single_day(text: str, start: int, end: int) -> bool:
    """Return whether the weekday in `text[start:end]` repeats, or is part of another day's name."""
    before = _NOT_ONE_DAY_BEFORE.search(text[max(0, start - _LOOK_CHARS) : start])
    return bool(before or _NOT_ONE_DAY_AFTER.match(text[end : end + _LOOK_CHARS]))


def alternatives(text: str, said: Sequence[_Said]) -> list[tuple[int, int]]:
    """Return which of `said`, in order of the text, are offered as one or the other."""
    return _adjacent(text, said, _OR)


def are_named_together(text: str, first: _Said, second: _Said) -> bool:
    """Return whether nothing but "and" or "or" stands between two days."""
    return bool(_adjacent(text, [first, second], _TOGETHER))


def _adjacent(text: str, said: Sequence[_Said], link: re.Pattern[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for index in range(1, len(said)):
        end, start = said[index - 1].start + len(said[index - 1].words), said[index].start
        if 0 < start - end <= _LOOK_CHARS and link.fullmatch(text[end:start]):
            found.append((index - 1, index))
    return found
