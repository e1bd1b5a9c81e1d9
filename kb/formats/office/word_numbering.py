"""The numbers that Word writes before list items and headings, counted as it counts them."""

import re
from dataclasses import dataclass, field
from typing import Any

from kb.formats.office.word_styles import WORD, Styles, value_of

_MAX_LETTERS = 26 * 10
_PLACE = re.compile(r"%(\d)")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_UNNUMBERED = frozenset({"bullet", "none"})


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    kind: str = "decimal"
    text: str = ""
    style_id: str | None = None
    only_arabic: bool = False


@dataclass(slots=True)
class _List:
    """What several lists that continue each other have in common."""

    levels: dict[int, _Level]
    counts: dict[int, int] = field(default_factory=dict[int, int])


class Numbering:
    """Counts through the paragraphs of a document in their order."""

    def __init__(self, root: Any | None, styles: Styles) -> None:
        """`root` is the part of numberings, if the document has one."""
        self._lists: dict[str, _List] = {}
        self._of_number: dict[str, str] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        self._linked: dict[str, str] = {}
        self._styles = styles
        if root is not None:
            self._read(root)

    def level_of_style(self, list_id: str, style_id: str | None) -> int:
        """Level of a list that belongs to a style; 0 when none does."""
        found = self._list(list_id)
        levels = found.levels.items() if found is not None else ()
        return next((at for at, level in levels if level.style_id == style_id and style_id), 0)

    def label(self, list_id: str, level: int) -> str:
        """Count one paragraph on, and say what stands before it; empty for a bullet."""
        found = self._list(list_id)
        if found is None or level not in found.levels:
            return ""
        for at, start in self._restarts.pop(list_id, {}).items():
            found.counts[at] = start - 1
        begun = found.counts.get(level, found.levels[level].start - 1)
        found.counts[level] = begun + 1
        for deeper in [at for at in found.counts if at > level]:
            del found.counts[deeper]
        shown = found.levels[level]
        if shown.kind in _UNNUMBERED:
            return ""
        return _PLACE.sub(lambda place: _counted(found, shown, int(place[1]) - 1), shown.text)

    def _list(self, list_id: str) -> _List | None:
        return self._lists.get(self._of_number.get(list_id, ""))

    def _read(self, root: Any) -> None:
        for element in root.iter(f"{WORD}abstractNum"):
            key = str(element.get(f"{WORD}abstractNumId", ""))
            self._lists[key] = _List(_levels(element))
            linked = value_of(element, "numStyleLink")
            if linked is not None:
                self._linked[key] = linked
        for element in root.iter(f"{WORD}num"):
            list_id = str(element.get(f"{WORD}numId", ""))
            self._of_number[list_id] = value_of(element, "abstractNumId") or ""
            self._read_overrides(element, list_id)
        for list_id, key in self._of_number.items():
            if key in self._linked:
                target = self._styles.number(self._linked[key])[0] or ""
                self._of_number[list_id] = self._of_number.get(target, key)

    def _read_overrides(self, element: Any, list_id: str) -> None:
        overrides = list(element.iter(f"{WORD}lvlOverride"))
        starts = {
            int(each.get(f"{WORD}ilvl", "0")): int(value_of(each, "startOverride") or 1)
            for each in overrides
            if value_of(each, "startOverride") is not None
        }
        if starts:
            self._restarts[list_id] = starts
        levels = _levels(element)
        base = self._lists.get(self._of_number[list_id])
        if levels and base is not None:
            key = f"of {list_id}"
            self._lists[key] = _List(base.levels | levels)
            self._of_number[list_id] = key


def _levels(parent: Any) -> dict[int, _Level]:
    found: dict[int, _Level] = {}
    for element in parent.iter(f"{WORD}lvl"):
        at = int(element.get(f"{WORD}ilvl", "0"))
        start = value_of(element, "start") or "1"
        found[at] = _Level(
            start=int(start) if start.isdigit() else 1,
            kind=value_of(element, "numFmt") or "decimal",
            text=value_of(element, "lvlText") or "",
            style_id=value_of(element, "pStyle"),
            only_arabic=element.find(f"{WORD}isLgl") is not None,
        )
    return found


def _counted(counted: _List, shown: _Level, at: int) -> str:
    level = counted.levels.get(at, _Level())
    count = counted.counts.get(at, level.start)
    return write_number(count, "decimal" if shown.only_arabic else level.kind)


def write_number(count: int, kind: str) -> str:
    """A number as Word writes it; kinds of scripts that are not Latin are written in digits."""
    if kind in ("lowerLetter", "upperLetter") and 0 < count <= _MAX_LETTERS:
        letters = chr(ord("a") + (count - 1) % 26) * (1 + (count - 1) // 26)
        return letters.upper() if kind == "upperLetter" else letters
    if kind in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        roman = _roman(count)
        return roman.upper() if kind == "upperRoman" else roman
    if kind == "decimalZero":
        return f"{count:02d}"
    return "" if kind == "none" else str(count)


def _roman(count: int) -> str:
    written = ""
    for value, sign in _ROMAN:
        written += sign * (count // value)
        count %= value
    return written
