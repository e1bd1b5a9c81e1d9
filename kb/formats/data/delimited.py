"""Comma, semicolon, tab or bar separated values."""

import csv
import re
from io import StringIO

from kb.document import ParsedDocument
from kb.formats.data.marked_up import words_of
from kb.formats.decoding import decode
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed

csv.field_size_limit(2**31 - 1)
_DELIMITERS = ",;\t|"
_SNIFFED_LINES = 50
_STATED = re.compile(r"\ufeff?\"?sep=([^\w\s\"]|\t)\"?[,;\t|]*\r?\n", re.IGNORECASE)


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a table; its delimiter is found by trying."""
    source = decode(data, stated=request.charset)
    try:
        delimiter, source = _stated_delimiter(source)
        reader = csv.reader(StringIO(source, newline=""), delimiter=delimiter or _delimiter(source))
        rows = list(reader)
    except csv.Error as error:
        raise malformed(request.name, "table of separated values", error) from error
    builder = TextBuilder(request)
    add_table(builder, [[words_of(cell, builder) for cell in row] for row in rows])
    return builder.build(title=request.name)


def _stated_delimiter(source: str) -> tuple[str | None, str]:
    """The delimiter that a first line `sep=;` states, as spreadsheets do, and what follows it."""
    match = _STATED.match(source)
    return (match[1], source[match.end() :]) if match else (None, source)


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
