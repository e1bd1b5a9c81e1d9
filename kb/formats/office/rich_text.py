"""Rich Text Format (.rtf)."""

import re

from kb.document import ParsedDocument
from kb.formats.tables.rendering import add_table
from kb.formats.text import find_blocks
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, one_line
from kb.formats.vendors import vendor

_TITLE = re.compile(rb"\\title ([^{}\\]{1,300})")


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an RTF file; its code pages are those that it names itself."""
    source = data.decode("latin-1")
    text, hidden = clean(vendor("striprtf.striprtf").rtf_to_text(source, errors="replace"))
    builder = TextBuilder(request)
    builder.hidden_chars = hidden
    rows: list[list[str]] = []
    for paragraph in text.split("\n"):
        if paragraph.count("|") > 1:
            rows.append(paragraph.removesuffix("|").split("|"))
            continue
        add_table(builder, rows)
        rows = []
        for block in find_blocks(paragraph, headings={}):
            builder.add(block.kind, paragraph[block.start_char : block.end_char])
    add_table(builder, rows)
    title = _TITLE.search(data)
    return builder.build(title=one_line(title[1].decode("latin-1")) if title else None)
