"""Shapes of a slide that a reader sees: chosen alternatives, diagrams; hidden ones are counted."""

from collections.abc import Iterator
from typing import Any

from kb.formats.office.reading_order import in_reading_order
from kb.formats.pages.html_text import tag_of
from kb.formats.text_builder import TextBuilder, one_line

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_MIN_CENTIPOINTS = 150
_SHAPES = frozenset({"sp", "grpsp", "pic", "graphicframe", "cxnsp"})


def choose_alternatives(slide: Any) -> None:
    """Put in place of `mc:AlternateContent` what a present program shows of it."""
    found = [each for each in slide._element.iter() if tag_of(each) == "alternatecontent"]
    for element in found:
        parent = element.getparent()
        offered = [[each for each in part if tag_of(each) in _SHAPES] for part in element]
        chosen = next((shapes for shapes in offered if shapes), None)
        if parent is None or chosen is None:
            continue
        at = parent.index(element)
        parent.remove(element)
        for offset, shape in enumerate(chosen):
            parent.insert(at + offset, shape)


def drop_tiny(slide: Any, builder: TextBuilder) -> None:
    """Remove words that are too small for anybody to read; `builder` counts them."""
    for run in list(slide._element.iter(f"{_DRAWING}r")):
        properties = run.find(f"{_DRAWING}rPr")
        stated = None if properties is None else properties.get("sz")
        if stated is not None and stated.isdecimal() and int(stated) < _MIN_CENTIPOINTS:
            words = run.findtext(f"{_DRAWING}t") or ""
            builder.hide("hidden text", words)
            run.getparent().remove(run)


def shown_shapes(
    shapes: Any, *, size: tuple[int, int] | None, builder: TextBuilder
) -> Iterator[Any]:
    """Shapes in reading order, groups opened; see `in_reading_order`.

    Args:
        shapes: Of a slide, or of a group in it.
        size: Width and height of the slide; None within a group, which has its own units.
        builder: Counts what is hidden or stands off the slide.
    """
    for shape in in_reading_order(list(shapes)):
        if _is_hidden(shape):
            builder.hide("hidden shape", text_of(shape))
        elif size is not None and _is_off(shape, size):
            builder.hide("shape off the slide", text_of(shape))
        elif hasattr(shape, "shapes"):
            yield from shown_shapes(shape.shapes, size=None, builder=builder)
        else:
            yield shape


def text_of(shape: Any) -> str:
    """All text in a shape, of a group as well."""
    return " ".join(one_line(part.text or "") for part in shape._element.iter(f"{_DRAWING}t"))


def diagram_texts(shape: Any) -> list[str]:
    """The points of a SmartArt diagram, which stand in a part of their own."""
    found: list[str] = []
    for element in shape._element.iter():
        key = element.get(_DATA) if tag_of(element) == "relids" else None
        if key is None or key not in shape.part.rels:
            continue
        from kb.formats.archive import read_xml

        data = shape.part.rels[key].target_part.blob
        for point in read_xml(data, name="diagram", what="presentation").iter():
            if tag_of(point) == "pt":
                words = "".join(part.text or "" for part in point.iter(f"{_DRAWING}t"))
                found += [one_line(words)] if words.strip() else []
    return found


def _is_hidden(shape: Any) -> bool:
    stated = next((each for each in shape._element.iter() if tag_of(each) == "cnvpr"), None)
    return stated is not None and stated.get("hidden") in ("1", "true")


def _is_off(shape: Any, size: tuple[int, int]) -> bool:
    place = (shape.left, shape.top, shape.width, shape.height)
    if any(value is None for value in place):
        return False  # It stands where the layout puts it.
    left, top, width, height = place
    return left >= size[0] or top >= size[1] or left + width <= 0 or top + height <= 0
