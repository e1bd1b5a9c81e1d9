"""Two versions of an agent -> where they differ, setting by setting. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from conversation.agent.config import AgentConfig

_NAMED_BY = ("name", "criterion_id", "field_id")
_MAY_BE_SECRET = ("headers", "constants")
"""Of webhooks: an operator may have written a password where a secret should be named."""
HIDDEN = "(hidden)"
_FROM_SECRETS = "{{secret__"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that is otherwise."""

    path: str
    """As in the agent file: `tools.show_order.description`."""
    before: Any
    """None where the setting was at its default of nothing, or the entry was not there."""
    after: Any


def changes(before: AgentConfig, after: AgentConfig) -> list[Change]:
    """Every setting that differs, in the order of the agent file.

    Entries of lists are compared by their names; lists without names are compared whole. What
    webhooks send as headers and constants is hidden, but for names of secrets.
    """
    return list(_changes((), before.model_dump(mode="json"), after.model_dump(mode="json")))


def _changes(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    old, new = _entries(before), _entries(after)
    if old is None or new is None or (not old and not new):
        yield Change(".".join(path), _shown(path, before), _shown(path, after))
        return
    for name in dict.fromkeys((*old, *new)):
        yield from _changes((*path, name), old.get(name), new.get(name))
    if list(old) != list(new) and set(old) == set(new):
        yield Change(".".join(path), list(old), list(new))


def _entries(value: Any) -> Mapping[str, Any] | None:
    """The parts of a mapping, or of a list whose entries have names of their own."""
    if isinstance(value, Mapping):
        return {str(key): each for key, each in cast("Mapping[Any, Any]", value).items()}
    if not isinstance(value, list):
        return None
    entries = cast("Sequence[Any]", value)
    named = {name: each for each in entries if (name := _name(each)) is not None}
    return named if len(named) == len(entries) else None


def _name(entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    found = cast("Mapping[str, Any]", entry)
    return next((str(found[key]) for key in _NAMED_BY if found.get(key)), None)


def _shown(path: Sequence[str], value: Any) -> Any:
    """`value` as it may be shown; whole tools come here too, with their headers inside."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        return {key: _shown((*path, key), each) for key, each in found.items()}
    if isinstance(value, list):
        return [_shown(path, each) for each in cast("Sequence[Any]", value)]
    is_secret = value is not None and any(part in _MAY_BE_SECRET for part in path)
    names_one = isinstance(value, str) and _FROM_SECRETS in value
    return HIDDEN if is_secret and not names_one else value
