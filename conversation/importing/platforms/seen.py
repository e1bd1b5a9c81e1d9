"""Which fields of a record were looked at, so that all others can be named and counted. Pure.

A reader takes what it knows with the functions of `fields`, or `record["key"]` and
`record.get("key")`. What it never asked for, at any depth, is what the store does not hold, and so
is what it asked for and could not use: nothing has to be listed by hand, and no field that a
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
        self.unusable: dict[str, str] = {}
        """Keys that were asked for and hold something else, with what was expected there."""
        self.is_whole = False
        """All of it is taken."""
        self.is_told = False
        """All of it is accounted for: taken as a whole, or counted under a name of its own."""

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, which counts as taken from here on."""
        self.asked.add(key)
        return super().get(key, default)


def unusable(record: Mapping[str, Any], key: str, expected: str) -> None:
    """Say that `key` holds no `expected`, so that nothing is taken from it: it is counted."""
    if isinstance(record, Seen) and holds_something(record.get(key)):
        record.unusable[key] = expected


def glance(record: Mapping[str, Any], key: str) -> Any:
    """The value of `key`, which does not count as taken."""
    # Not `get`, which a record that is watched takes for a use.
    return next((value for name, value in record.items() if name == key), None)


def with_fields(record: Mapping[str, Any], more: Mapping[str, Any]) -> Mapping[str, Any]:
    """`record` with other fields beside its own: what is asked of it is asked of `record`."""
    if not isinstance(record, Seen):
        return {**record, **more}
    found = Seen({**record, **more})
    found.asked, found.unusable = record.asked, record.unusable
    return found


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


def told(value: object, *, is_whole: bool = False) -> None:
    """Say that `value` is accounted for, whatever it holds."""
    if isinstance(value, Seen):
        value.is_told, value.is_whole = True, value.is_whole or is_whole
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            told(inner, is_whole=is_whole)


def whole(value: object) -> Any:
    """`value` as plain data, all of which is taken."""
    told(value, is_whole=True)
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
    elif isinstance(value, Seen) and not value.is_whole:
        for key, expected in value.unusable.items():
            yield f"{f'{before}.' if before else ''}{key} that is no {expected}"
        if value.is_told:
            yield from _unusable_within(value, before)
            return
        for key, inner in value.items():
            path = f"{before}.{key}" if before else str(key)
            if path in said_twice or key in value.unusable:
                continue
            if key in value.asked:
                yield from _paths(inner, path, said_twice)
            elif holds_something(inner):
                yield path


def _unusable_within(told: Seen, before: str) -> Iterator[str]:
    """What was asked for in vain in something that is counted as a whole."""
    for key, inner in told.items():
        for each in cast(list[object], inner) if isinstance(inner, list) else [inner]:
            if isinstance(each, Seen) and key in told.asked and key not in told.unusable:
                for name, expected in each.unusable.items():
                    yield f"{before}.{key}.{name} that is no {expected}"
                yield from _unusable_within(each, f"{before}.{key}")


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
