"""Rich Text Format (.rtf)."""

import re
from collections.abc import Callable

from kb.document import ParsedDocument
from kb.formats.tables.rendering import add_table
from kb.formats.tables.rich_table import RichRow, RowShapes, laid_out
from kb.formats.text import find_blocks
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, one_line
from kb.formats.vendors import vendor

_TOKEN = re.compile(
    r"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'[0-9a-fA-F]{2}|\\[^a-zA-Z]"
    r"|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)"
)
_LEFT_OUT = {
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "header"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "footer"),
    "annotation": "comment",
    "pict": "picture",
    "objdata": "embedded file",
}
_NUMBERS_OF_LISTS = ("listtext", "pntext")
"""What a program without lists shows before an item."""
_SAYING = ("u", "tab", "line", "footnote")
_MIN_HALF_POINTS = 3
_HIDING: dict[str, Callable[[str, frozenset[str]], bool]] = {
    "v": lambda number, _: number != "0",
    "fs": lambda number, _: number.isdecimal() and int(number) < _MIN_HALF_POINTS,
    "cf": lambda number, white: number in white,
}
"""What formats characters -> whether its number hides them, given the numbers of white."""
_COLOURS = re.compile(r"\\colortbl([^{}]{0,20000})\}")
_WHITE = re.compile(r"\\red255\s*\\green255\s*\\blue255(?!\d)")
_GROUND = re.compile(
    r"\\(?:cb|highlight|chcbpat|cbpat|clcbpat|shading|chshdng|clshdng|background|shp|pict)(?![a-z])"
)
_TITLE = re.compile(rb"\\title ([^{}\\]{1,300})")


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an RTF file; its code pages are those that it names itself."""
    builder = TextBuilder(request)
    shapes = RowShapes()
    source = _shown_source(data.decode("latin-1"), builder, shapes)
    text, hidden = clean(vendor("striprtf.striprtf").rtf_to_text(source, errors="replace"))
    builder.hidden_chars += hidden
    rows: list[RichRow] = []
    for before, row in shapes.rows_in(text):
        if before.strip():
            add_table(builder, laid_out(rows))
            _add_paragraphs(builder, before)
            rows = []
        if row is not None:
            rows.append(row)
    add_table(builder, laid_out(rows))
    title = _TITLE.search(data)
    return builder.build(title=one_line(title[1].decode("latin-1")) if title else None)


def _add_paragraphs(builder: TextBuilder, text: str) -> None:
    for paragraph in text.split("\n"):
        for block in find_blocks(paragraph, headings={}):
            builder.add(block.kind, paragraph[block.start_char : block.end_char])


def _white_colours(source: str) -> frozenset[str]:
    """The numbers of white in the table of colours; none where text may stand on another ground."""
    table = _COLOURS.search(source)
    if table is None or _GROUND.search(source):
        return frozenset()
    entries = table[1].split(";")
    return frozenset(str(number) for number, each in enumerate(entries) if _WHITE.search(each))


def _shown_source(source: str, builder: TextBuilder, shapes: RowShapes) -> str:
    r"""Drop what is hidden (`\v`), tiny or white, and put notes where they are referred to.

    `shapes` learns of the rows of tables, and its marks stand where they begin and end.
    """
    kept: list[str] = []
    hidden: list[str] = []
    white = _white_colours(source)
    # Of each open group: by what its text is hidden, if it is, and what closes it.
    groups = [(frozenset[str](), "}")]
    for token in _TOKEN.finditer(source):
        is_hidden, closing = groups[-1]
        word, written = token["word"], token[0]
        if token["brace"] == "{":
            groups.append((is_hidden, "}"))
        elif token["brace"] == "}":
            written = closing
            if len(groups) > 1:
                groups.pop()
            shapes.close(depth=len(groups))
        elif word == "plain" or word in _HIDING:
            groups[-1] = (_hidden_by(is_hidden, word, token["number"] or "", white), closing)
        elif shapes.knows(word, depth=len(groups)):
            written = shapes.mark(word, token["number"], is_hidden=bool(is_hidden))
        elif word == "footnote":
            groups[-1], written = (is_hidden, ")}"), " ("
        elif word is not None:
            builder.leave_out(_LEFT_OUT.get(word, ""), int(word in _LEFT_OUT))
        elif is_hidden:
            hidden.append(token["text"] or "")
            continue
        is_silent = word in _NUMBERS_OF_LISTS or (is_hidden and word in _SAYING)
        kept.append("" if is_silent else written)
    builder.hide("hidden text", "".join(hidden))
    return "".join(kept)


def _hidden_by(
    before: frozenset[str], word: str, number: str, white: frozenset[str]
) -> frozenset[str]:
    """By what text is hidden behind a word that formats characters."""
    if word == "plain":
        return frozenset()
    return before | {word} if _HIDING[word](number, white) else before - {word}
