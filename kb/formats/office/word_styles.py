"""What the styles of a Word document say of a paragraph: heading, list, number, hidden."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kb.formats.theme import WHITE, is_light_white

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.IGNORECASE)
_MAX_CHAIN = 20
_BODY_LEVEL = 9
_MIN_HALF_POINTS = 3
"""Smaller type is not read by anybody."""
_PAPER = frozenset({"auto", WHITE})
_OTHER_GROUND = frozenset({"txbxcontent", "hdr", "ftr"})
"""Shapes, and margins that shapes often stand behind: what is white there may be seen."""


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
    colour: str | None
    """Of its text, in hexadecimal digits; `auto` for one that is to be read on any ground."""
    half_points: int | None
    """Size of its text."""
    shaded: bool
    """Whether it, or a part of its tables, lays a colour behind the text."""


class Styles:
    """The styles of a document, with what each inherits."""

    def __init__(
        self, root: Any | None, *, theme: Any | None = None, settings: Any | None = None
    ) -> None:
        """`root` is the part of styles, if the document has one; so are the others."""
        self._whites = _white_names(theme, settings)
        self._by_id: dict[str, WordStyle] = {}
        self._plain: list[Any] = []
        for element in () if root is None else root.iter(f"{WORD}style"):
            style = _read(element, self._whites)
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

    def is_unseen(self, run: Any) -> bool:
        """Whether the text of a run is tiny, or white on white paper."""
        paragraph = next(run.iterancestors(f"{WORD}p"), None)
        ids = (value_of(run, "rPr rStyle"), value_of(paragraph, "pPr pStyle"))
        styles = [style for style_id in ids for style in self.chain(style_id)]
        size = _whole(value_of(run, "rPr sz"))
        sizes = [size, *(style.half_points for style in styles)]
        if next((each for each in sizes if each is not None), _MIN_HALF_POINTS) < _MIN_HALF_POINTS:
            return True
        colours = [_colour_of(run, self._whites), *(style.colour for style in styles)]
        colour = next((each for each in colours if each is not None), "auto")
        if colour.lower() != WHITE or any(style.shaded for style in styles):
            return False
        return not any(self._is_ground(each) for each in (run, *run.iterancestors()))

    def _is_ground(self, element: Any) -> bool:
        """Whether an element may lay a colour behind what stands in it."""
        tag = element.tag.rpartition("}")[2].lower()
        if tag == "document":
            return element not in self._plain and not self._is_plain(element)
        if tag == "tbl" and any(
            style.shaded for style in self.chain(value_of(element, "tblPr tblStyle"))
        ):
            return True
        of_run = element.find(f"{WORD}rPr/{WORD}highlight") is not None
        own = element.find(f"{WORD}{tag}Pr/{WORD}shd")
        return tag in _OTHER_GROUND or of_run or _has_colour(own)

    def _is_plain(self, document: Any) -> bool:
        """Whether the pages are white, and no picture stands behind their text."""
        behind = (each.get("behindDoc") in ("1", "true") for each in document.iter("{*}anchor"))
        if document.find(f"{WORD}background") is not None or any(behind):
            return False
        self._plain.append(document)
        return True

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


def _white_names(theme: Any | None, settings: Any | None) -> frozenset[str]:
    """The names of theme colours that are white in a document."""
    if not is_light_white(theme):
        return frozenset()
    mapped = None if settings is None else settings.find(f"{WORD}clrSchemeMapping")
    ground = "light1" if mapped is None else mapped.get(f"{WORD}bg1", "light1")
    return frozenset({"light1", "background1"} if ground == "light1" else {"light1"})


def _colour_of(parent: Any, whites: frozenset[str]) -> str | None:
    """The colour of text that a run or style states; that of a theme goes before digits."""
    found = parent.find(f"{WORD}rPr/{WORD}color")
    if found is None:
        return None
    of_theme = found.get(f"{WORD}themeColor") in whites
    if of_theme and found.get(f"{WORD}themeShade") is None:
        return WHITE
    return found.get(f"{WORD}val")


def _read(element: Any, whites: frozenset[str]) -> WordStyle:
    return WordStyle(
        style_id=str(element.get(f"{WORD}styleId", "")),
        name=value_of(element, "name") or "",
        based_on=value_of(element, "basedOn"),
        outline=outline_of(element),
        number=number_of(element),
        hidden=is_on(element, "rPr vanish"),
        colour=_colour_of(element, whites),
        half_points=_whole(value_of(element, "rPr sz")),
        shaded=any(_has_colour(each) for each in element.iter(f"{WORD}shd")),
    )


def _has_colour(shading: Any | None) -> bool:
    """Whether a shading is anything but the white of the paper."""
    if shading is None:
        return False
    fill = (shading.get(f"{WORD}fill") or "auto").lower()
    is_plain = shading.get(f"{WORD}val") in (None, "clear", "nil")
    return not is_plain or fill not in _PAPER or shading.get(f"{WORD}themeFill") is not None


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None
