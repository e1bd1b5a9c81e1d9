"""OpenDocument text, presentations and spreadsheets (.odt, .odp, .ods)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.link_targets import beside
from kb.formats.office.open_table import attribute, lays_out, number_of, read_table
from kb.formats.office.word_numbering import write_number
from kb.formats.pages.html_text import tag_of
from kb.formats.tables.rendering import add_table, in_line
from kb.formats.tables.sheet import add_sheet
from kb.formats.text_builder import ParseRequest, TextBuilder, encrypted, one_line

_SKIPPED = frozenset(
    {"tracked-changes", "forms", "sequence-decls", "annotation", "table-of-content"}
)
_COUNTED = {"comment": "annotation", "deleted text": "deletion"}
"""What is left out, and the element that holds a piece of it."""
_HIDING = {
    "table-properties": ("display", "false"),
    "text-properties": ("display", "none"),
    "drawing-page-properties": ("visibility", "hidden"),
}
"""Properties of a style -> the attribute that hides, and its value for that."""
_FAMILIES = {
    "p": "paragraph", "h": "paragraph", "span": "text", "page": "drawing-page", "table": "table",
}  # fmt: skip
_KINDS = {
    "1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman",
}  # fmt: skip
_MAX_PAGE_WORDS = 3
"""As in `Page 1 of 3`."""
_SIDES = ("", "-left", "-first")
_SHAPES = frozenset({"frame", "custom-shape", "rect", "g", "ellipse", "line", "path", "polygon"})
_POINTS = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)pt")
_MIN_POINTS = 1.5
_WHITE = "#ffffff"
_MAX_ANCESTORS = 20
_MAX_SPACES = 100
"""Spaces can be stored as a count; no reader sees more of them than this."""


@dataclass(frozen=True, slots=True)
class _Level:
    """How a list style numbers one level."""

    kind: str
    prefix: str
    suffix: str
    shown: int
    """How many levels above it, itself included, its number names."""
    start: int

    def label(self, counts: tuple[int, ...]) -> str:
        numbers = ".".join(write_number(each, self.kind) for each in counts[-self.shown :])
        return f"{self.prefix}{numbers}{self.suffix}"


@dataclass(slots=True)
class _Reading:
    """What is known of a document while it is read."""

    lists: dict[tuple[str, int], _Level]
    slide: int = 0
    counts: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    """The last number of each list style and level."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an OpenDocument file."""
    archive = Archive(data, name=request.name, what="OpenDocument file")
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(request.name, "document")
    builder = TextBuilder(request)
    content = archive.xml("content.xml")
    body = next(element for element in content.iter() if tag_of(element) == "body")
    _drop_hidden(builder, body, _hidden_styles(archive, content))
    for kind, tag in _COUNTED.items():
        builder.leave_out(kind, sum(1 for _ in body.iter(f"{{*}}{tag}")))
    if any(tag_of(element) == "spreadsheet" for element in body):
        _add_sheets(builder, body)
    else:
        _add_body(builder, body, archive, content)
    about = _about(archive)
    title = about.get("title") or _sheet_title(body, request.name)
    return builder.build(title=title, language=about.get("language"), metadata=about)


def _add_body(builder: TextBuilder, body: Any, archive: Archive, content: Any) -> None:
    """The text, with what stands in the margins of its pages before and behind it, once each."""
    roots = [content, *([archive.xml("styles.xml")] if "styles.xml" in archive else [])]
    for kind in ("header", "footer"):
        if kind == "footer":
            _add_children(builder, body, reading=_Reading(_list_levels(roots)))
        tags = [f"{{*}}{kind}{side}" for side in _SIDES]
        margins = (each for root in roots for each in root.iter(*tags))
        lines = (line for each in margins for line in _margin_lines(builder, each))
        for line in dict.fromkeys(lines):
            builder.add("paragraph", line)


def _margin_lines(builder: TextBuilder, margin: Any) -> Iterator[str]:
    for paragraph in margin.iter("{*}p", "{*}h"):
        numbers = list(paragraph.iter("{*}page-number", "{*}page-count"))
        for number in numbers:
            number.text = ""
        line = one_line(_text(paragraph))
        if numbers and len(line.split()) < _MAX_PAGE_WORDS:
            builder.leave_out("page number")
        elif line:
            yield line


def _add_children(builder: TextBuilder, parent: Any, *, reading: _Reading) -> None:
    for element in parent:
        tag = tag_of(element)
        if tag in _SKIPPED:
            continue
        if tag == "h":
            level = int(attribute(element, "outline-level") or 1)
            builder.add("heading", one_line(_text(element)), level=level)
        elif tag == "p":
            builder.add("paragraph", _text(element))
            _add_frames(builder, element, reading)
        elif tag == "list":
            builder.add("list", "\n".join(_list_lines(element, reading)))
        elif tag == "table" and not lays_out(element):
            add_table(builder, read_table(element, _cell_text).visible_rows())
        else:
            if tag == "page":
                reading.slide += 1
                builder.start_page(str(reading.slide))
            _add_children(builder, element, reading=reading)


def _add_frames(builder: TextBuilder, paragraph: Any, reading: _Reading) -> None:
    """Text boxes are anchored inside of paragraphs but are read on their own."""
    for element in paragraph.iter():
        if tag_of(element) == "text-box":
            _add_children(builder, element, reading=reading)


def _text(element: Any) -> str:
    pieces: list[str] = []
    _collect(element, pieces)
    return "".join(pieces).strip()


def _collect(element: Any, pieces: list[str]) -> None:
    pieces.append(element.text or "")
    for child in element:
        tag = tag_of(child)
        if tag == "s":
            pieces.append(" " * min(number_of(child, "c", 1), _MAX_SPACES))
        elif tag == "tab":
            pieces.append("\t")
        elif tag == "line-break":
            pieces.append("\n")
        elif tag == "a":
            shown: list[str] = []
            _collect(child, shown)
            pieces += [*shown, beside("".join(shown), attribute(child, "href"))]
        elif tag == "note":
            pieces.append(" (")
            _collect(child, pieces)
            pieces.append(")")
        elif tag and tag not in ("text-box", "note-citation", *_SKIPPED):
            _collect(child, pieces)
        pieces.append(child.tail or "")


def _list_lines(
    element: Any, reading: _Reading, *, style: str = "", above: tuple[int, ...] = ()
) -> Iterator[str]:
    """The lines of a list, with the numbers that its style gives; `above` are those around it."""
    style = attribute(element, "style-name") or style
    level = reading.lists.get((style, len(above) + 1))
    goes_on = attribute(element, "continue-numbering") == "true" or attribute(
        element, "continue-list"
    )
    begun = reading.counts.get((style, len(above)), 0) if goes_on else 0
    count = begun or (level.start if level else 1) - 1
    for item in element:
        label = ""
        if tag_of(item) == "list-item":
            stated = attribute(item, "start-value") or ""
            count = int(stated) if stated.isdecimal() and len(stated) < 7 else count + 1
            label = level.label((*above, count)) if level else "-"
        for child in item:
            if tag_of(child) == "list":
                inner = _list_lines(child, reading, style=style, above=(*above, count))
                yield from ("  " + line for line in inner)
            elif text := one_line(_text(child)):
                yield f"{label or ' '} {text}"
                label = ""
    reading.counts[style, len(above)] = count


def _list_levels(roots: list[Any]) -> dict[tuple[str, int], _Level]:
    """The numbered levels of the list styles, by name and level from 1."""
    found: dict[tuple[str, int], _Level] = {}
    for root in roots:
        for each in root.iter("{*}list-level-style-number"):
            kind = _KINDS.get(attribute(each, "num-format") or "", "")
            name = attribute(each.getparent(), "name") or ""
            if kind:
                found[name, number_of(each, "level", 1)] = _Level(
                    kind,
                    attribute(each, "num-prefix") or "",
                    attribute(each, "num-suffix") or "",
                    number_of(each, "display-levels", 1),
                    number_of(each, "start-value", 1),
                )
    return found


def _cell_text(cell: Any) -> str:
    return " ".join(filter(None, _cell_texts(cell)))


def _cell_texts(cell: Any) -> Iterator[str]:
    for part in cell:
        if tag_of(part) == "table":
            rows = read_table(part, _cell_text).visible_rows()
            yield in_line([[each.text for each in row] for row in rows])
        elif tag_of(part) not in _SKIPPED:
            yield _text(part)
            for box in part.iter("{*}text-box"):
                yield from _cell_texts(box)


def _add_sheets(builder: TextBuilder, body: Any) -> None:
    for table in body.iter():
        if tag_of(table) == "table" and tag_of(table.getparent()) == "spreadsheet":
            sheet = read_table(table, _cell_text)
            add_sheet(builder, sheet, name=attribute(table, "name") or "")
            for shapes in table.iterchildren("{*}shapes"):
                _add_frames(builder, shapes, _Reading({}))


def _drop_hidden(builder: TextBuilder, body: Any, styles: set[tuple[str, str]]) -> None:
    """Remove what a reader of the document does not see; `builder` counts it."""
    hidden = [each for each in body.iter() if _is_hidden(each, styles)]
    for element in hidden:
        parent = element.getparent()
        if parent is None or not any(above is body for above in element.iterancestors()):
            continue
        kind = {"page": "hidden slide", "table": "hidden sheet"}.get(tag_of(element), "hidden text")
        builder.hide(kind, " ".join(str(piece) for piece in element.itertext()))
        if element.tail:
            before = element.getprevious()
            if before is None:
                parent.text = (parent.text or "") + element.tail
            else:
                before.tail = (before.tail or "") + element.tail
        parent.remove(element)


def _is_hidden(element: Any, styles: set[tuple[str, str]]) -> bool:
    tag = tag_of(element)
    stated = attribute(element, "is-hidden")
    if tag in ("hidden-text", "hidden-paragraph") or (tag == "section" and stated is not None):
        # Without the result of its condition, what is made to be hidden is taken for hidden.
        return stated != "false"
    if tag == "section" and attribute(element, "display") in ("none", "condition"):
        return True
    if attribute(element, "visible") == "false" or (
        tag in _SHAPES and attribute(element, "display") in ("none", "printer")
    ):
        return True
    family = _FAMILIES.get(tag)
    return family is not None and (family, attribute(element, "style-name") or "") in styles


def _hidden_styles(archive: Archive, content: Any) -> set[tuple[str, str]]:
    """Family and name of the styles that hide what has them, those that inherit it included."""
    roots = [content, *([archive.xml("styles.xml")] if "styles.xml" in archive else [])]
    paints_white = any(
        _is_white(each) for root in roots for each in root.iter("{*}text-properties")
    )
    is_white_paper = paints_white and not any(
        _is_coloured(each) for root in roots for each in root.iter()
    )
    parents: dict[tuple[str, str], tuple[str, str]] = {}
    hides: dict[tuple[str, str], bool] = {}
    for style in (each for root in roots for each in root.iter() if tag_of(each) == "style"):
        family = attribute(style, "family") or ""
        key = family, attribute(style, "name") or ""
        parents[key] = family, attribute(style, "parent-style-name") or ""
        for properties in style:
            states = _HIDING.get(tag_of(properties))
            value = attribute(properties, states[0]) if states else None
            if states and value is not None:
                hides[key] = value == states[1]
            if _is_unseen(properties, white=is_white_paper):
                hides[key] = True
    return {key for key in parents if _inherits(key, parents, hides)}


def _is_unseen(properties: Any, *, white: bool) -> bool:
    """Whether text is tiny, or white where nothing lays a colour behind it."""
    if tag_of(properties) != "text-properties":
        return False
    size = _POINTS.fullmatch(attribute(properties, "font-size") or "")
    is_tiny = size is not None and float(size[1]) < _MIN_POINTS
    return is_tiny or (white and _is_white(properties))


def _is_white(properties: Any) -> bool:
    return (attribute(properties, "color") or "").lower() == _WHITE


def _is_coloured(element: Any) -> bool:
    """Whether an element lays a colour or a picture behind text."""
    if tag_of(element) in ("background-image", "frame", *_SHAPES):
        return True
    ground = (attribute(element, "background-color") or "transparent").lower()
    return ground not in ("transparent", _WHITE) or attribute(element, "fill") not in (None, "none")


def _inherits(
    key: tuple[str, str],
    parents: dict[tuple[str, str], tuple[str, str]],
    hides: dict[tuple[str, str], bool],
) -> bool:
    for _ in range(_MAX_ANCESTORS):
        if key in hides:
            return hides[key]
        if key not in parents:
            break
        key = parents[key]
    return False


def _sheet_title(body: Any, name: str) -> str | None:
    """A sheet's name says too little to be the title of the whole."""
    return name if any(tag_of(part) == "spreadsheet" for part in body) else None


def _about(archive: Archive) -> dict[str, str]:
    if "meta.xml" not in archive:
        return {}
    names = {"title": "title", "language": "language", "creator": "author", "date": "changed"}
    about: dict[str, str] = {}
    for element in archive.xml("meta.xml").iter():
        key = names.get(tag_of(element))
        if key and element.text:
            about.setdefault(key, one_line(element.text))
    return about
