"""Which fields of a record were looked at, so that all others can be named and counted. Pure.

A reader takes what it knows with `record["key"]` and `record.get("key")`. What it never asked for,
at any depth, is what the store does not hold: nothing has to be listed by hand, and no field that a
platform adds tomorrow is lost in silence.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

_MAX_DEPTH = 100
"""Deeper values are kept as they are, and count as one with what holds them."""


class Seen(dict[str, Any]):
    """A mapping that remembers which of its keys were asked for."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.asked: set[str] = set()
        self.is_told = False
        """All of it is accounted for: taken as a whole, or counted under a name of its own."""

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, which counts as taken from here on."""
        self.asked.add(key)
        return super().get(key, default)


def watched(value: object, *, depth: int = 0) -> Any:
    """`value` with every mapping in it as a `Seen` that nobody has asked for anything yet."""
    if depth >= _MAX_DEPTH:
        return value
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return Seen({key: watched(inner, depth=depth + 1) for key, inner in fields.items()})
    if isinstance(value, list):
        return [watched(inner, depth=depth + 1) for inner in cast(list[object], value)]
    return value


def told(value: object) -> None:
    """Say that `value` is accounted for, whatever it holds."""
    if isinstance(value, Seen):
        value.is_told = True
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            told(inner)


def whole(value: object) -> Any:
    """`value` as plain data, all of which is taken."""
    told(value)
    return _plain(value)


def unseen(record: object, name: str, said_twice: frozenset[str] = frozenset()) -> Counter[str]:
    """What nobody asked for in a record, by its path, with the number of places where it stands.

    Args:
        record: From `watched`.
        name: Begins every path.
        said_twice: Paths, without `name`, of fields that repeat what is taken.
    """
    return Counter(f"{name}.{path}" for path in _paths(record, "", said_twice))


def _paths(value: object, before: str, said_twice: frozenset[str]) -> Iterator[str]:
    if isinstance(value, list):
        for inner in cast(list[object], value):
            yield from _paths(inner, before, said_twice)
    elif isinstance(value, Seen) and not value.is_told:
        for key, inner in value.items():
            path = f"{before}.{key}" if before else str(key)
            if path in said_twice:
                continue
            if key in value.asked:
                yield from _paths(inner, path, said_twice)
            elif holds_something(inner):
                yield path


def holds_something(value: object) -> bool:
    """Whether a field says anything: `None`, an empty text, and what holds only such do not."""
    if isinstance(value, dict):
        return any(holds_something(inner) for inner in cast(dict[str, object], value).values())
    if isinstance(value, list):
        return any(holds_something(inner) for inner in cast(list[object], value))
    return value not in (None, "")


def _plain(value: object) -> Any:
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return {key: _plain(inner) for key, inner in fields.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast(list[object], value)]
    return value
