"""The words around a value of an answer, which say what it is about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from conversation.grounding.checking.stated_values import Value

_UNIT_WORDS = 3
"""Words behind a number that may say what it counts."""


@dataclass(frozen=True, slots=True)
class ValueContext:
    """The words around a value of an answer."""

    before: str
    """From the value before it, or from the beginning of the sentence."""
    after: str
    """To the next value."""
    sentence: str
    """All of it, without values."""
    is_first: bool
    names_a_time: bool
    """Whether something in the sentence is a time and nothing else."""

    @property
    def words(self) -> tuple[str, str, str]:
        """Where a row may be named, nearest first."""
        return self.before, self.after, self.sentence

    @property
    def beside(self) -> tuple[str, str, str]:
        """Where a column may be named: what stands behind another value belongs to that one."""
        first = self.before if self.is_first else " ".join(self.before.split()[1:])
        return _beginning(self.after), first, self.after


def context_of(
    value: Value, values: Sequence[Value], answer: str, start: int, end: int
) -> ValueContext:
    """The words around one of the `values` of `answer[start:end]`."""
    around = [other for other in values if not other.is_name]
    before = max((each.end for each in around if each.end <= value.start), default=start)
    after = min((each.start for each in around if each.start >= value.end), default=end)
    return ValueContext(
        answer[before : value.start],
        answer[value.end : after],
        _without(answer, start, end, around),
        is_first=before == start,
        names_a_time=any(form.startswith("t:") for each in around for form in each.forms),
    )


def widened(value: Value, context: ValueContext) -> set[str]:
    """With other ways to write the same: `9` for nine o'clock, a day without its year."""
    wide = set(value.forms)
    is_bare = not value.unit and (not value.counted or context.names_a_time)
    for form in value.forms:
        kind, _, rest = form.partition(":")
        if kind == "t" and int(rest) % 60 == 0:
            wide |= {f"n:{int(rest) // 60}", f"n:{(int(rest) // 60 - 1) % 12 + 1}"}
        if kind == "n" and is_bare and rest.isdecimal() and int(rest) <= 24:
            wide |= {f"t:{int(rest) * 60}", f"t:{(int(rest) % 12 + 12) * 60}"}
        if kind == "d":
            wide.add("d:-" + rest.partition("-")[2])
    return wide


def _beginning(text: str) -> str:
    return " ".join(text.split()[:_UNIT_WORDS])


def _without(answer: str, start: int, end: int, values: Sequence[Value]) -> str:
    """A part of the answer with spaces for its values."""
    text = list(answer[start:end])
    for value in values:
        for at in range(max(0, value.start - start), min(len(text), value.end - start)):
            text[at] = " "
    return "".join(text)
