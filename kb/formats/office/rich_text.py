"""Rich Text Format (.rtf)."""

import re
from collections.abc import Callable

from kb.document import ParsedDocument
from kb.formats.tables.rendering import add_table
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
    source = _shown_source(data.decode("latin-1"), builder)
    text, hidden = clean(vendor("striprtf.striprtf").rtf_to_text(source, errors="replace"))
    builder.hidden_chars += hidden
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


def _white_colours(source: str) -> frozenset[str]:
    """The numbers of white in the table of colours; none where text may stand on another ground."""
    table = _COLOURS.search(source)
    if table is None or _GROUND.search(source):
        return frozenset()
    entries = table[1].split(";")
    return frozenset(str(number) for number, each in enumerate(entries) if _WHITE.search(each))


def _shown_source(source: str, builder: TextBuilder) -> str:
    r"""Drop what is hidden (`\v`), tiny or white, and put notes where they are referred to."""
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
        elif word == "plain":
            groups[-1] = (frozenset(), closing)
        elif word in _HIDING:
            hides = _HIDING[word](token["number"] or "", white)
            groups[-1] = (is_hidden | {word} if hides else is_hidden - {word}, closing)
        elif word == "footnote":
            groups[-1], written = (is_hidden, ")}"), " ("
        elif word is not None:
            builder.leave_out(_LEFT_OUT.get(word, ""), int(word in _LEFT_OUT))
        elif is_hidden:
            hidden.append(token["text"] or "")
            continue
        kept.append("" if is_hidden and word in ("u", "tab", "line", "footnote") else written)
    builder.hide("hidden text", "".join(hidden))
    return "".join(kept)
