"""Shapes of a slide that a reader sees: chosen alternatives, diagrams; hidden ones are counted."""

from collections.abc import Iterator
from typing import Any

from kb.formats.archive import read_xml
from kb.formats.office.reading_order import in_reading_order
from kb.formats.pages.html_text import tag_of
from kb.formats.text_builder import TextBuilder, one_line
from kb.formats.theme import is_light_white, is_white, read_theme

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DATA = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"
_MIN_CENTIPOINTS = 150
_MAX_INHERITED = 4
_PLAIN_GROUND = "1001"
"""The first ground of a theme, which is one plain colour."""
_REMAP = "{*}overrideClrMapping"
_SHOWS_ANYWAY = frozenset({"ln", "effectlst", "effectdag", "highlight"})
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


def drop_unseen(slide: Any, builder: TextBuilder) -> None:
    """Remove words that are tiny, or white on a white slide; `builder` counts them."""
    tiny = [run for run in slide._element.iter(f"{_DRAWING}r") if _is_tiny(run)]
    for run in [*tiny, *_white_runs(slide)]:
        if run.getparent() is not None:
            builder.hide("hidden text", run.findtext(f"{_DRAWING}t") or "")
            run.getparent().remove(run)


def _is_tiny(run: Any) -> bool:
    properties = run.find(f"{_DRAWING}rPr")
    stated = None if properties is None else properties.get("sz")
    return stated is not None and stated.isdecimal() and int(stated) < _MIN_CENTIPOINTS


def _white_runs(slide: Any) -> list[Any]:
    """White words in shapes of no colour, where nothing coloured may lie behind them.

    Words in groups and tables, whose ground other parts decide, are taken for seen.
    """
    whites = _whites(slide)
    found = [
        (shape, runs)
        for shape in slide.shapes
        if tag_of(shape._element) == "sp"
        and (runs := [each for each in shape._element.iter(f"{_DRAWING}r") if _pale(each, whites)])
    ]
    if not found or not _is_white_slide(slide, whites):
        return []
    layout = slide.slide_layout
    behind = [each for each in slide.shapes if _paints(each, whites)]
    behind += [
        each
        for source in (layout, layout.slide_master)
        for each in source.shapes
        if not each.is_placeholder and _paints(each, whites)
    ]
    return [
        run
        for shape, runs in found
        if not any(each.shape_id == shape.shape_id or _may_touch(each, shape) for each in behind)
        for run in runs
    ]


def _whites(slide: Any) -> frozenset[str]:
    """The names of theme colours that are white on a slide."""
    master = slide.slide_layout.slide_master
    mapping = next(master._element.iter("{*}clrMap"), None)
    others = (each for part in (slide, slide.slide_layout) for each in part._element.iter(_REMAP))
    themes = [
        each
        for each in master.part.rels.values()
        if each.reltype.endswith("/theme") and not each.is_external
    ]
    if mapping is None or not themes or next(others, None) is not None:
        return frozenset()
    blob = themes[0].target_part.blob
    theme = read_theme(lambda: read_xml(blob, name="theme", what="presentation"))
    if not is_light_white(theme):
        return frozenset()
    return frozenset({"lt1", *(name for name, to in mapping.attrib.items() if to == "lt1")})


def _pale(run: Any, whites: frozenset[str]) -> bool:
    properties = run.find(f"{_DRAWING}rPr")
    if properties is None or {tag_of(each) for each in properties} & _SHOWS_ANYWAY:
        return False
    return is_white(properties.find(f"{_DRAWING}solidFill"), whites)


def _is_white_slide(slide: Any, whites: frozenset[str]) -> bool:
    for part in (slide, slide.slide_layout, slide.slide_layout.slide_master):
        ground = next(part._element.iter("{*}bg"), None)
        if ground is not None:
            stated = next(iter(ground), None)
            if stated is not None and tag_of(stated) == "bgref":
                return stated.get("idx") == _PLAIN_GROUND and is_white(stated, whites)
            return is_white(next(ground.iter(f"{_DRAWING}solidFill"), None), whites)
    return True


def _paints(shape: Any, whites: frozenset[str]) -> bool:
    """Whether a shape may lay a colour on the slide; placeholders have it from their layout."""
    for _ in range(_MAX_INHERITED):
        element = shape._element
        if tag_of(element) != "sp":
            return tag_of(element) != "cxnsp"
        fills = [each for part in element.iterchildren("{*}spPr") for each in part]
        fill = next((each for each in fills if tag_of(each).endswith("fill")), None)
        if fill is not None:
            return tag_of(fill) != "nofill" and not is_white(fill, whites)
        styled = next(element.iter(f"{_DRAWING}fillRef"), None)
        if styled is not None and styled.get("idx") != "0":
            return True
        base = getattr(shape, "_base_placeholder", None) if shape.is_placeholder else None
        if base is None:
            return False
        shape = base
    return True


def _may_touch(one: Any, other: Any) -> bool:
    first, second = (
        (each.left, each.top, each.width, each.height, getattr(each, "rotation", 0))
        for each in (one, other)
    )
    if None in first or None in second or first[4] or second[4]:
        return True
    return (
        first[0] < second[0] + second[2]
        and second[0] < first[0] + first[2]
        and first[1] < second[1] + second[3]
        and second[1] < first[1] + first[3]
    )


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
