"""Presentations (.pptx): one page a slide, with tables, notes and picture captions."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.archive import Archive
from kb.formats.link_targets import beside
from kb.formats.office.charts import add_chart
from kb.formats.office.package import as_presentation
from kb.formats.office.slide_shapes import (
    choose_alternatives,
    diagram_texts,
    drop_unseen,
    shown_shapes,
    text_of,
)
from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import ParseRequest, TextBuilder, one_line
from kb.formats.vendors import vendor


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a presentation; slides and shapes that the show hides are dropped and counted."""
    Archive(data, name=request.name, what="presentation")
    presentation = vendor("pptx").Presentation(BytesIO(as_presentation(data)))
    size = (presentation.slide_width or 0, presentation.slide_height or 0)
    builder = TextBuilder(request)
    for number, slide in enumerate(presentation.slides, start=1):
        if slide._element.get("show") == "0":
            builder.hide("hidden slide", " ".join(text_of(shape) for shape in slide.shapes))
            continue
        builder.start_page(str(number))
        choose_alternatives(slide)
        drop_unseen(slide, builder)
        builder.leave_out("comment", _comments(slide))
        _add_slide(builder, slide, size)
    properties = presentation.core_properties
    return builder.build(
        title=properties.title,
        language=properties.language,
        metadata={"author": properties.author or "", "slides": str(len(presentation.slides))},
    )


def _comments(slide: Any) -> int:
    """How many remarks of its authors a slide has."""
    parts = (
        relation.target_part.blob
        for relation in slide.part.rels.values()
        if not relation.is_external and relation.reltype.rpartition("/")[2] == "comments"
    )
    parser = vendor("lxml.etree").XMLParser(resolve_entities=False, no_network=True)
    roots = (vendor("lxml.etree").fromstring(part, parser) for part in parts)
    return sum(1 for root in roots for _ in root.iter("{*}cm"))


def _add_slide(builder: TextBuilder, slide: Any, size: tuple[int, int]) -> None:
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        builder.add("heading", one_line(title.text_frame.text), level=1)
    for shape in shown_shapes(slide.shapes, size=size if all(size) else None, builder=builder):
        if title is None or shape.shape_id != title.shape_id:
            _add_shape(builder, shape)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        builder.add("paragraph", f"Notes: {notes}" if notes else "")


def _add_shape(builder: TextBuilder, shape: Any) -> None:
    if shape.has_text_frame:
        _add_text_frame(builder, shape.text_frame)
    elif getattr(shape, "has_table", False) and shape.has_table:
        add_table(builder, (list(_cells(row)) for row in shape.table.rows))
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        add_chart(builder, shape.chart._chartSpace)
    elif points := diagram_texts(shape):
        builder.add("list", "\n".join(f"- {point}" for point in points))
    else:
        described = shape._element.xpath(".//p:cNvPr/@descr")
        builder.add("paragraph", "\n".join(str(text) for text in described))


def _add_text_frame(builder: TextBuilder, frame: Any) -> None:
    texts = [
        (paragraph.level, one_line(_with_targets(paragraph))) for paragraph in frame.paragraphs
    ]
    texts = [(level, text) for level, text in texts if text]
    if len(texts) == 1:
        builder.add("paragraph", texts[0][1])
    else:
        builder.add("list", "\n".join("  " * level + "- " + text for level, text in texts))


def _with_targets(paragraph: Any) -> str:
    """The text of a paragraph, where its links lead behind what they say."""
    text, begin, written = str(paragraph.text), 0, list[str]()
    for run in paragraph.runs:
        at = text.find(run.text, begin) if run.text else -1
        if at >= 0:
            end = at + len(run.text)
            written += [text[begin:end], beside(text, _target(run.hyperlink))]
            begin = end
    return "".join([*written, text[begin:]])


def _target(link: Any) -> str:
    try:
        return str(link.address or "")
    except KeyError:
        return ""  # Its relation is missing.


def _cells(row: Any) -> Iterator[Cell]:
    for column, cell in enumerate(row.cells):
        if not cell.is_spanned:
            rows, columns = (cell.span_height, cell.span_width) if cell.is_merge_origin else (1, 1)
            text = "\n".join(map(_with_targets, cell.text_frame.paragraphs))
            yield Cell(text, rows, columns, column=column)
