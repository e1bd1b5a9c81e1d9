"""The text of a YAML file with other values, its comments, order and quotes kept. Pure.

Only what differs between the settings before and after is touched. Whoever calls this reads the
result once more: a file can write one setting in several ways, and not every way can be changed.
"""

import io
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, cast

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

Settings = Mapping[str, Any]
_ENDLESS = 1_000_000
"""Columns of a line: lines that people wrote are not broken anew."""
_NAMES = ("id", "criterion_id", "field_id", "agent_id", "name", "url")
"""What tells one entry of a list from the others."""


def changed_text(text: str, before: Settings, after: Settings) -> str | None:
    """`text`, which says `before`, so that it says `after`; None when that cannot be done.

    Args:
        text: One YAML mapping.
        before: What the file says, in one form of writing it.
        after: What it shall say, in the same form.
    """
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = _ENDLESS
    mapping, offset = _indents(text)
    writer.indent(mapping=mapping, sequence=offset + 2, offset=offset)  # pyright: ignore[reportUnknownMemberType]
    try:
        found: Any = writer.load(text)  # pyright: ignore[reportUnknownMemberType]
    except (YAMLError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    _change(cast("dict[str, Any]", found), before, after)
    written = io.StringIO()
    try:
        writer.dump(found, written)  # pyright: ignore[reportUnknownMemberType]
    except (YAMLError, ValueError, TypeError):
        return None
    return written.getvalue()


def _indents(text: str) -> tuple[int, int]:
    """How far mappings and dashes are moved in, by the first of each that is."""
    lines = [line for line in text.splitlines() if line.strip() and line.lstrip()[0] != "#"]
    steps = [
        (len(below) - len(below.lstrip()) - (len(above) - len(above.lstrip())), below.lstrip())
        for above, below in pairwise(lines)
        if above.split(" #")[0].rstrip().endswith(":")
    ]
    mappings = [step for step, below in steps if step > 0 and below[0] != "-"]
    dashes = [step for step, below in steps if step >= 0 and below[0] == "-"]
    return (*mappings, 2)[0], (*dashes, 0)[0]


def _change(found: dict[str, Any], before: Settings, after: Settings) -> None:
    for key in [*before, *(key for key in after if key not in before)]:
        if key not in after:
            found.pop(key, None)
        elif key not in before or before[key] != after[key]:
            found[key] = _changed(found.get(key), before.get(key), after[key])


def _changed(found: Any, before: Any, after: Any) -> Any:
    if isinstance(found, dict) and isinstance(before, Mapping) and isinstance(after, Mapping):
        mapping = cast("dict[str, Any]", found)
        _change(mapping, cast(Settings, before), cast(Settings, after))
        return mapping
    if isinstance(found, CommentedSeq) and isinstance(before, list) and isinstance(after, list):
        return _changed_list(found, cast("list[Any]", before), cast("list[Any]", after))
    return _plain(after)


def _changed_list(found: CommentedSeq, before: list[Any], after: list[Any]) -> Any:
    """Entries that are there already are taken over, wherever they stand now."""
    if len(found) != len(before):
        return _plain(after)
    left = list(range(len(before)))
    entries: list[tuple[int | None, Any]] = []
    for item in after:
        place = next((each for each in left if before[each] == item), None)
        if place is None:
            place = next((each for each in left if _is_one(before[each], item)), None)
        if place is None:
            entries.append((None, _plain(item)))
            continue
        left.remove(place)
        entry = cast("list[Any]", found)[place]
        same = before[place] == item
        kept = entry if same else _changed(entry, before[place], item)
        entries.append((place, kept))
    comments = dict(cast("dict[int, Any]", found.ca.items))  # pyright: ignore[reportUnknownMemberType]
    found.ca.items.clear()  # pyright: ignore[reportUnknownMemberType]
    del found[:]
    for number, (place, entry) in enumerate(entries):
        found.append(entry)  # pyright: ignore[reportUnknownMemberType]
        if place is not None and place in comments:
            found.ca.items[number] = comments[place]  # pyright: ignore[reportUnknownMemberType]
    return found


def _is_one(before: Any, after: Any) -> bool:
    """Whether two entries of a list are the same thing, changed."""
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return False
    one, other = cast(Settings, before), cast(Settings, after)
    name = next((name for name in _NAMES if name in one), None)
    return name is not None and one[name] == other.get(name)


def _plain(value: Any) -> Any:
    """A value as the readers of agent files read it: a text stays a text."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in cast(Settings, value).items()}
    if isinstance(value, list):
        return [_plain(each) for each in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    if "\n" in value:
        return LiteralScalarString(value)
    try:
        is_text = yaml.safe_load(value) == value
    except (yaml.YAMLError, ValueError):
        is_text = False
    return value if is_text else DoubleQuotedScalarString(value)
