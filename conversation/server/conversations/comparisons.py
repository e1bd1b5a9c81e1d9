"""`name:op:value`, as lists of conversations are asked about values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.server.errors import ApiError

OPERATORS = ("eq", "neq", "gt", "gte", "lt", "lte", "in")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A name, and what its value must be."""

    name: str
    operator: str
    value: str

    def holds(self, values: Mapping[str, object]) -> bool:
        """Whether the values meet it. An empty value stands for one that is not there."""
        found = values.get(self.name)
        text = _text(found)
        if not self.value:
            return (text == "") == (self.operator == "eq")
        if self.operator == "eq":
            return text == self.value
        if self.operator == "neq":
            return text != self.value
        if self.operator == "in":
            return text in self.value.split("|")
        number, wanted = _number(text), _number(self.value)
        if number is None or wanted is None:
            return False
        return {
            "gt": number > wanted,
            "gte": number >= wanted,
            "lt": number < wanted,
            "lte": number <= wanted,
        }[self.operator]


def comparisons(given: Sequence[str], parameter: str) -> tuple[Comparison, ...]:
    """What `parameter=NAME:OP:VALUE`, given any number of times, asks for.

    Raises:
        ApiError: 422; one is not written so, or compares by size with something that is no number.
    """
    found: list[Comparison] = []
    for each in given:
        name, _, rest = each.partition(":")
        operator, colon, value = rest.partition(":")
        by_size = operator in ("gt", "gte", "lt", "lte")
        is_bare = not value and operator not in ("eq", "neq")
        if not name or not colon or operator not in OPERATORS or is_bare:
            raise ApiError(
                422,
                "invalid_filter",
                f"{parameter} is written NAME:OP:VALUE, e.g. `amount:gte:10`; OP is one of "
                f"{', '.join(OPERATORS)}, and only eq and neq take an empty value.",
            )
        if by_size and _number(value) is None:
            raise ApiError(422, "invalid_filter", f"{parameter}: {operator} needs a number.")
        found.append(Comparison(name, operator, value))
    return tuple(found)


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
