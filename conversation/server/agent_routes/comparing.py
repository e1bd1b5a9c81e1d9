"""Two versions of an agent -> where they differ, setting by setting. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from conversation.agent.config import AgentConfig
from conversation.server.keys.write_only import without_hidden

_NAMED_BY = ("name", "criterion_id", "field_id")


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

    Entries of lists are compared by their names; lists without names are compared whole. What may
    be a secret where it is written, and not named, is hidden: see `keys.write_only`.
    """
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return list(_changes((), _Side(old, without_hidden(old)), _Side(new, without_hidden(new))))


class _Side(NamedTuple):
    """A part of one version."""

    value: Any
    shown: Any
    """The same, with what may be a secret hidden."""

    def parts(self) -> "Mapping[str, _Side] | None":
        """Of a mapping, or of a list whose entries have names of their own."""
        values, shown = _entries(self.value), _entries(self.shown)
        if values is None or shown is None:
            return None
        return {name: _Side(value, shown[name]) for name, value in values.items()}


_NOTHING = _Side(None, None)


def _changes(path: tuple[str, ...], before: _Side, after: _Side) -> Iterator[Change]:
    if before.value == after.value:
        return
    old, new = before.parts(), after.parts()
    if old is None or new is None or (not old and not new):
        yield Change(".".join(path), before.shown, after.shown)
        return
    for name in dict.fromkeys((*old, *new)):
        yield from _changes((*path, name), old.get(name, _NOTHING), new.get(name, _NOTHING))
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
