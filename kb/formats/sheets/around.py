"""What stands on a sheet beside its cells: text boxes, notes, headers of the printed page."""

import re
from collections.abc import Iterator
from typing import Any

from kb.formats.archive import Archive
from kb.formats.text_builder import TextBuilder, one_line

_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|\d{1,3}|.)', re.DOTALL)
"""In a header: fonts, colours, sizes, and fields such as the number of the page."""
_HEADERS = {"Header": "page header", "Footer": "page footer"}


def add_text_boxes(builder: TextBuilder, archive: Archive, drawing: str) -> None:
    """Append the texts of the shapes of a drawing; those of hidden shapes are counted."""
    if drawing not in archive:
        return
    for shape in archive.xml(drawing).iter("{*}sp"):
        lines = (_text(paragraph) for paragraph in shape.iter("{*}p"))
        text = "\n".join(filter(None, lines))
        if any(each.get("hidden") in ("1", "true") for each in shape.iter("{*}cNvPr")):
            builder.hide("hidden shape", text)
        else:
            builder.add("paragraph", text)


def count_notes(builder: TextBuilder, archive: Archive, notes: str) -> None:
    """Count the notes to cells, which are seen when the pointer rests on them."""
    if notes in archive:
        builder.leave_out("comment", sum(1 for _ in archive.xml(notes).iter("{*}comment")))


def headers_of(element: Any) -> Iterator[str]:
    """The kinds of header and footer of the printed page that say something."""
    for part in element:
        said = one_line(_CODE.sub(" ", part.text or ""))
        kind = next((kind for end, kind in _HEADERS.items() if part.tag.endswith(end)), "")
        if said and kind:
            yield kind


def _text(paragraph: Any) -> str:
    return one_line("".join(run.text or "" for run in paragraph.iter("{*}t")))
