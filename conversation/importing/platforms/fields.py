"""Taking a field of a record as what it should be. What is something else is counted by name. Pure.

Each function takes the first of several keys that holds what is asked for.
"""

import math
from collections.abc import Iterable
from datetime import datetime

from conversation.agent.variable_values import RESERVED_PREFIXES
from conversation.importing.platforms.record import (
    Record,
    has_list,
    id_of,
    mapping,
    mappings,
    text_of,
)
from conversation.importing.platforms.seen import glance, unusable
from conversation.importing.roles import RecordError
from conversation.importing.times import moment

_CLOCKS_DIFFER_S = 1.0
_YES = frozenset({"true", "yes", "1"})
_NO = frozenset({"false", "no", "0"})


def text_at(record: Record, *keys: str) -> str:
    """A text without blanks around it; empty when there is none."""
    for key in keys:
        if text := text_of(record.get(key)):
            return text
        unusable(record, key, "text")
    return ""


def id_at(record: Record, *keys: str) -> str:
    """An id: a text, or a whole number as text; empty when there is none."""
    for key in keys:
        if found := id_of(record.get(key)):
            return found
        unusable(record, key, "id")
    return ""


def number_at(record: Record, *keys: str) -> float | None:
    """A number that is not negative, also where it is written as text; None when there is none."""
    for key in keys:
        found = _number(record.get(key))
        if found is not None:
            return found
        unusable(record, key, "number")
    return None


def milliseconds_at(record: Record, *keys: str) -> float | None:
    """A number of milliseconds, in seconds."""
    found = number_at(record, *keys)
    return None if found is None else found / 1_000


def flag_at(record: Record, key: str) -> bool | None:
    """A truth value, also where it is written as text or as 0 and 1; None when there is none."""
    value = record.get(key)
    if isinstance(value, bool):
        return value
    plain = id_of(value).casefold()
    if plain in _YES | _NO:
        return plain in _YES
    unusable(record, key, "yes or no")
    return None


def mapping_at(record: Record, *keys: str) -> Record:
    """A mapping; empty when there is none."""
    for key in keys:
        if found := mapping(record.get(key)):
            return found
        unusable(record, key, "mapping")
    return {}


def list_at(record: Record, key: str) -> list[Record]:
    """The mappings of a list; empty when there is none.

    Raises:
        RecordError: Something else than a mapping stands in the list.
    """
    if has_list(record, key):
        return mappings(record, key)
    unusable(record, key, "list")
    return []


def moment_at(record: Record, *keys: str) -> datetime | None:
    """A moment in UTC; see `times.moment`.

    Raises:
        RecordError: Something that is no moment stands there.
    """
    return next((at for key in keys if (at := moment(record.get(key), key)) is not None), None)


def variables_at(record: Record, *path: str) -> dict[str, str | int | float | bool]:
    """Dynamic variables that a conversation was given, as they were given.

    Those that platforms set by themselves (`system__...`) are none, and secrets are kept nowhere.
    """
    for key in path:
        record = mapping_at(record, key)
    return {
        name: value
        for name, known in record.items()
        if not name.startswith(RESERVED_PREFIXES)
        and isinstance(known, str | int | float | bool)
        and isinstance(value := record.get(name), str | int | float | bool)
    }


def require_ended(record: Record, key: str, going: Iterable[str], *ended: str) -> None:
    """Refuse a conversation that its platform still holds: the rest would never come in.

    Raises:
        RecordError: Its state under `key` is one of `going`, and none of `ended` says when it
            ended.
    """
    state = glance(record, key)
    if state in going and not any(glance(record, each) for each in ended):
        raise RecordError(f"it still goes on (`{key}`: {state}); export it once it has ended")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    # A little before the start is the start: clocks differ.
    return max(0.0, found) if math.isfinite(found) and found > -_CLOCKS_DIFFER_S else None
