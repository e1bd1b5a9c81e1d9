"""Cells of an .xlsx workbook that show nothing of what is in them."""

import re
from typing import Any

from kb.formats.theme import WHITE, is_light_white

PAINTS = ("{*}conditionalFormatting", "{*}tablePart", "{*}picture", "{*}drawing")
"""What may lay a colour behind the cells of a sheet without their styles saying so."""

_MIN_POINTS = 1.5
_LIGHT = "0"
"""Where the first light colour stands in a theme, as sheets count."""
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_TEXT_SECTION = 3


def shows_no_text(code: str) -> bool:
    """Whether a number format, such as `;;;`, has a section for text, and nothing in it."""
    sections = _LITERAL.sub("x", code).split(";")
    return len(sections) > _TEXT_SECTION and not sections[_TEXT_SECTION].strip()


def unseen_styles(styles: Any | None, theme: Any | None) -> tuple[frozenset[int], frozenset[int]]:
    """The styles of cells whose text is tiny, and those whose text is white on no colour."""
    if styles is None:
        return frozenset(), frozenset()
    light = is_light_white(theme)
    tiny = [_points(font) < _MIN_POINTS for font in _children(styles, "fonts")]
    white = [_is_white(_first(font, "color"), light=light) for font in _children(styles, "fonts")]
    filled = [_is_filled(fill, light=light) for fill in _children(styles, "fills")]
    small: set[int] = set()
    pale: set[int] = set()
    for index, style in enumerate(_children(styles, "cellXfs")):
        font, fill = _whole(style.get("fontId")), _whole(style.get("fillId"))
        if font < len(tiny) and tiny[font]:
            small.add(index)
        elif font < len(white) and white[font] and not (fill < len(filled) and filled[fill]):
            pale.add(index)
    return frozenset(small), frozenset(pale)


def _points(font: Any) -> float:
    size = _first(font, "sz")
    try:
        return float(size.get("val")) if size is not None else _MIN_POINTS
    except (TypeError, ValueError):
        return _MIN_POINTS


def _is_white(colour: Any | None, *, light: bool) -> bool:
    if colour is None:
        return False
    if colour.get("theme") is not None:
        return light and colour.get("theme") == _LIGHT and not _is_darkened(colour)
    return (colour.get("rgb") or "").lower()[-6:] == WHITE and not _is_darkened(colour)


def _is_darkened(colour: Any) -> bool:
    return (colour.get("tint") or "").startswith("-")


def _is_filled(fill: Any, *, light: bool) -> bool:
    pattern = _first(fill, "patternFill")
    if pattern is None:
        return len(fill) > 0  # A gradient.
    ground = _first(pattern, "fgColor")
    if pattern.get("patternType") in (None, "none"):
        return False
    return pattern.get("patternType") != "solid" or not _is_white(ground, light=light)


def _children(styles: Any, group: str) -> list[Any]:
    return [part for parts in styles if parts.tag.endswith(f"}}{group}") for part in parts]


def _first(parent: Any, name: str) -> Any | None:
    return next((part for part in parent if part.tag.endswith(f"}}{name}")), None)


def _whole(value: str | None) -> int:
    return int(value) if value is not None and value.isdecimal() and len(value) < 9 else 0
