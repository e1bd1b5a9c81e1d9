"""Comma, semicolon, tab or bar separated values."""

import csv
from io import StringIO

from kb.document import ParsedDocument
from kb.formats.decoding import decode
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed, render_table

_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a table; its delimiter is found by trying."""
    source = decode(data, stated=request.charset)
    try:
        reader = csv.reader(StringIO(source, newline=""), delimiter=_delimiter(source))
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise malformed(request.name, "table of separated values", error) from error
    builder = TextBuilder(request)
    if rows:
        builder.add("table", render_table(rows))
    return builder.build(title=request.name)


def _delimiter(source: str) -> str:
    """The one that cuts most of the first lines into the same number of cells."""
    lines = [line for line in source.splitlines()[:_SNIFFED_LINES] if line.strip()]
    best, best_score = ",", 0
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=counts.count) if counts else 1
        score = counts.count(usual) * (usual > 1)
        if score > best_score:
            best, best_score = delimiter, score
    return best
