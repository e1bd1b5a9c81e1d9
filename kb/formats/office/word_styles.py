"""What the styles of a Word document say of a paragraph: heading, list, number, hidden."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.IGNORECASE)
_MAX_CHAIN = 20
_BODY_LEVEL = 9


@dataclass(frozen=True, slots=True)
class WordStyle:
    """One style, without what it inherits."""

    style_id: str
    name: str
    based_on: str | None
    outline: int | None
    """Level from 0; 9 is body text."""
    number: tuple[str | None, int | None]
    """List and level that its paragraphs belong to."""
    hidden: bool | None


class Styles:
    """The styles of a document, with what each inherits."""

    def __init__(self, root: Any | None) -> None:
        """`root` is the part of styles, if the document has one."""
        self._by_id: dict[str, WordStyle] = {}
        for element in () if root is None else root.iter(f"{WORD}style"):
            style = _read(element)
            self._by_id[style.style_id] = style

    def name(self, style_id: str | None) -> str:
        """What Word calls the style."""
        found = self._by_id.get(style_id or "")
        return found.name if found is not None else ""

    def heading_level(self, style_id: str | None) -> int:
        """Level of headings of this style, or of the one it comes from; 0 for other text."""
        for style in self.chain(style_id):
            if style.outline is not None:
                return style.outline + 1 if style.outline < _BODY_LEVEL else 0
            if style.name == "Title":
                return 1
            if match := _HEADING.match(style.name):
                return int(match[1])
        return 0

    def is_list(self, style_id: str | None) -> bool:
        """Whether it is one of the built-in styles for items, or comes from one."""
        return any(
            style.name.startswith("List") and style.name != "List Paragraph"
            for style in self.chain(style_id)
        )

    def number(self, style_id: str | None) -> tuple[str | None, int | None]:
        """List and level of its paragraphs, as far as it says."""
        list_id, level = None, None
        for style in self.chain(style_id):
            list_id = style.number[0] if list_id is None else list_id
            level = style.number[1] if level is None else level
        return list_id, level

    def is_hidden(self, style_id: str | None) -> bool:
        """Whether its text is not shown."""
        return next((s.hidden for s in self.chain(style_id) if s.hidden is not None), False)

    def chain(self, style_id: str | None) -> Iterator[WordStyle]:
        """The style and those that it comes from, nearest first."""
        for _ in range(_MAX_CHAIN):
            found = self._by_id.get(style_id or "")
            if found is None:
                return
            yield found
            style_id = found.based_on


def value_of(parent: Any | None, path: str) -> str | None:
    """The `val` of an inner element, by the names of the elements that lead there."""
    found = None if parent is None else parent.find("/".join(WORD + each for each in path.split()))
    return None if found is None else found.get(f"{WORD}val")


def is_on(parent: Any | None, path: str) -> bool | None:
    """Whether a property is set: its element stands there, and does not say no."""
    found = None if parent is None else parent.find("/".join(WORD + each for each in path.split()))
    return None if found is None else found.get(f"{WORD}val") not in ("0", "false", "off")


def number_of(parent: Any) -> tuple[str | None, int | None]:
    """List and level that a paragraph or style says it belongs to."""
    return value_of(parent, "pPr numPr numId"), _whole(value_of(parent, "pPr numPr ilvl"))


def outline_of(parent: Any) -> int | None:
    """Outline level from 0 that a paragraph or style says it has; 9 is body text."""
    return _whole(value_of(parent, "pPr outlineLvl"))


def _read(element: Any) -> WordStyle:
    return WordStyle(
        style_id=str(element.get(f"{WORD}styleId", "")),
        name=value_of(element, "name") or "",
        based_on=value_of(element, "basedOn"),
        outline=outline_of(element),
        number=number_of(element),
        hidden=is_on(element, "rPr vanish"),
    )


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None
