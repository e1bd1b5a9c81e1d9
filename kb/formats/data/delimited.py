"""Comma, semicolon, tab or bar separated values."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from kb.document import ParsedDocument
from kb.formats.data.marked_up import words_of
from kb.formats.decoding import decode
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed

csv.field_size_limit(2**31 - 1)
_DELIMITERS = ",;\t|^~"
_SNIFFED_LINES = 50
_MAX_OPEN_QUOTES = 20
_LAST = "\0"
_QUOTED_ONCE = re.compile(r"\s*'.*'\s*")
_STATED = re.compile(r"\ufeff?\"?sep=([^\w\s\"]|\t)\"?[,;\t|]*\r?\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Dialect:
    delimiter: str
    quote: str
    is_spaced: bool
    """A blank stands between a delimiter and the quote behind it."""

    def reader(self, lines: Iterable[str], *, is_plain: bool = False) -> Any:
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            skipinitialspace=self.is_spaced,
            quoting=csv.QUOTE_NONE if is_plain else csv.QUOTE_MINIMAL,
        )


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a table; its delimiter is found by trying."""
    source = decode(data, stated=request.charset)
    try:
        delimiter, source = _stated_delimiter(source)
        rows = list(_rows(source, _dialect(source, delimiter)))
    except csv.Error as error:
        raise malformed(request.name, "table of separated values", error) from error
    builder = TextBuilder(request)
    add_table(builder, [[words_of(cell, builder) for cell in row] for row in rows])
    return builder.build(title=request.name)


def _stated_delimiter(source: str) -> tuple[str | None, str]:
    """The delimiter that a first line `sep=;` states, as spreadsheets do, and what follows it."""
    match = _STATED.match(source)
    return (match[1], source[match.end() :]) if match else (None, source)


def _dialect(source: str, stated: str | None) -> _Dialect:
    lines = [line for line in source.splitlines()[:_SNIFFED_LINES] if line.strip()]
    quoted = [_QUOTED_ONCE.fullmatch(line) is not None for line in lines]
    quote = "'" if len(lines) > 1 and all(quoted) else '"'
    delimiter = stated or _delimiter(lines, quote)
    is_spaced = any(f"{delimiter} {quote}" in line for line in lines)
    return _Dialect(delimiter, quote, is_spaced)


def _rows(source: str, dialect: _Dialect) -> Iterator[list[str]]:
    """The rows; a quote that nothing closes is a sign like others, and costs no other line."""
    for _ in range(_MAX_OPEN_QUOTES):
        open_at = None
        rows = list[tuple[int, list[str]]]()
        # A line more shows whether the last quote was closed.
        text = source if source.endswith(("\n", "\r")) else source + "\n"
        reader = dialect.reader(StringIO(text + _LAST, newline=""))
        before = 0
        for row in reader:
            rows.append((before, row))
            before = reader.line_num
        if rows and rows[-1][1] != [_LAST]:
            open_at = rows[-1][0]
        yield from (row for _, row in rows[:-1])
        if open_at is None:
            return
        # As the reader counts them: other signs that end lines elsewhere are words of a cell.
        lines = list(StringIO(text, newline=""))
        yield from dialect.reader(lines[open_at : open_at + 1], is_plain=True)
        source = "".join(lines[open_at + 1 :])
        if not source.strip():
            return
    yield from dialect.reader(StringIO(source, newline=""), is_plain=True)


def _delimiter(lines: Sequence[str], quote: str) -> str:
    """The one that cuts most of the first lines into the same number of cells."""
    best, best_score = ",", 0
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter, quotechar=quote)]
        usual = max(set(counts), key=counts.count) if counts else 1
        score = counts.count(usual) * (usual > 1)
        if score > best_score:
            best, best_score = delimiter, score
    return best
