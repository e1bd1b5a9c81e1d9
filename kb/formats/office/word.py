"""Word documents (.docx and its family): headings, lists and tables in document order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.link_targets import beside
from kb.formats.nesting import add_nested
from kb.formats.office.charts import add_chart
from kb.formats.office.package import Package, Relation, property_texts
from kb.formats.office.word_numbering import Numbering
from kb.formats.office.word_styles import WORD, Styles, is_on, number_of, outline_of, value_of
from kb.formats.office.word_table import cells_of, deleted_rows, lays_out, table_rows
from kb.formats.pages.html_text import tag_of
from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import add_table, in_line
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed, one_line
from kb.formats.theme import read_theme

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# Deleted text, and the copy of a text box for programs of before 2010.
_SKIPPED = frozenset({"del", "movefrom", "fallback", "ppr", "rpr", "instrtext"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-"}
_NOTES = {"footnotereference": "footnotes", "endnotereference": "endnotes"}
_LEFT_OUT = {"blip": "picture", "imagedata": "picture", "oleobject": "embedded file"}
_PAGE_FIELD = re.compile(r"\s*(?:PAGE|NUMPAGES|SECTIONPAGES)\b", re.IGNORECASE)
_LINK_FIELD = re.compile(r'\s*HYPERLINK\s+"([^"]{1,2000})"', re.IGNORECASE)
_PAGE_NUMBER = "\x02"
"""Stands for the number of a page, which changes from page to page and is no text."""
_MAX_PAGE_WORDS = 3
"""As in `Page 1 of 3`."""
_BODY_LEVEL = 9
_MAX_LEVEL = 9


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read a Word document; text formatted as hidden is dropped and counted.

    Notes stand where they are referred to, headers before the text and footers after it, each
    different one once. Automatic numbers are written out.
    """
    package = Package(data, name=request.name, what="Word document")
    main = package.main_part
    if main not in package.archive:
        raise malformed(request.name, "Word document", f"there is no {main!r} in it")
    root = package.xml(main)
    body = root.find(f"{WORD}body")
    if body is None:
        raise malformed(request.name, "Word document", f"there is no body in {main!r}")
    builder = TextBuilder(request)
    _Reader(builder, package, main, request).run(body)
    about = property_texts(package)
    return builder.build(
        title=about.get("title"),
        language=about.get("language"),
        metadata={"author": about.get("creator", ""), "subject": about.get("subject", "")},
    )


@dataclass(slots=True)
class _Field:
    """What Word works out: its instruction, and where the result of that begins."""

    instruction: str = ""
    pieces: list[str] = field(default_factory=list[str])
    begin: int = 0

    def target(self) -> str:
        """Where it leads, for a link."""
        match = _LINK_FIELD.match(self.instruction)
        return match[1] if match else ""


class _Reader:
    """Walks the body; list items wait until their list ends."""

    def __init__(
        self, builder: TextBuilder, package: Package, main: str, request: ParseRequest
    ) -> None:
        self._builder = builder
        self._package = package
        self._request = request
        self._relations = package.relations(main)
        self._styles = Styles(
            self._part("styles"),
            theme=read_theme(lambda: self._part("theme")),
            settings=read_theme(lambda: self._part("settings")),
        )
        self._numbering = Numbering(self._part("numbering"), self._styles)
        self._notes = {kind: self._note_elements(kind) for kind in _NOTES.values()}
        self._items: list[str] = []
        self._boxes: list[Any] = []
        self._described: list[str] = []
        self._fields: list[_Field] = []

    def run(self, body: Any) -> None:
        seen: set[str] = set()
        self._margins(body, "header", seen)
        self._blocks(body)
        self._end_list()
        self._margins(body, "footer", seen)
        self._end_list()
        comments = self._part("comments")
        if comments is not None:
            self._builder.leave_out("comment", len(comments))

    def _part(self, kind: str) -> Any | None:
        part = next((each.target for each in self._relations.values() if each.kind == kind), None)
        return (
            None if part is None or part not in self._package.archive else self._package.xml(part)
        )

    def _note_elements(self, kind: str) -> dict[str, Any]:
        root = self._part(kind)
        return {} if root is None else {str(note.get(f"{WORD}id", "")): note for note in root}

    def _margins(self, body: Any, kind: str, seen: set[str]) -> None:
        """Headers or footers of all sections, each different paragraph once."""
        for reference in body.iter(f"{WORD}{kind}Reference"):
            relation = self._relations.get(reference.get(_RELATION, ""))
            if relation is None or relation.target not in self._package.archive:
                continue
            outer, self._relations = self._relations, self._package.relations(relation.target)
            root = self._package.xml(relation.target)
            for paragraph in root.iter(f"{WORD}p"):
                text = self._without_page_number(self._text(paragraph))
                if text and text not in seen:
                    seen.add(text)
                    self._builder.add("paragraph", text)
            self._boxes.clear()
            self._relations = outer

    def _without_page_number(self, text: str) -> str:
        kept: list[str] = []
        for part in text.split("\t"):
            if _PAGE_NUMBER in part and len(part.split()) - part.count(_PAGE_NUMBER) < (
                _MAX_PAGE_WORDS
            ):
                self._builder.leave_out("page number")
            else:
                kept.append(one_line(part.replace(_PAGE_NUMBER, "")))
        return "\n".join(filter(None, kept))

    def _blocks(self, parent: Any) -> None:
        for element in parent:
            tag = tag_of(element)
            if tag == "p":
                self._paragraph(element)
            elif tag == "tbl":
                self._end_list()
                self._table(element)
            elif tag == "altchunk":
                self._end_list()
                self._inserted_file(self._relations.get(element.get(_RELATION, "")))
            elif tag == "del":
                self._count_deleted(element)
            elif tag not in _SKIPPED and len(element):
                # Content controls, insertions and the like only wrap blocks.
                self._blocks(element)

    def _paragraph(self, paragraph: Any) -> None:
        text = self._text(paragraph).replace(_PAGE_NUMBER, "")
        style_id = value_of(paragraph, "pPr pStyle")
        level = self._heading_level(paragraph, style_id)
        list_id, depth = self._number(paragraph, style_id)
        is_gone = is_on(paragraph, "pPr rPr del") and not text
        label = self._numbering.label(list_id, depth) if list_id and not is_gone else ""
        if level:
            self._end_list()
            self._builder.add("heading", f"{label} {one_line(text)}" if text else "", level=level)
        elif list_id or self._styles.is_list(style_id):
            if text.strip():
                self._items.append("  " * depth + f"{label or '-'} {one_line(text)}")
        else:
            self._end_list()
            self._builder.add("paragraph", text)
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            if tag_of(box) == "chartspace":
                add_chart(self._builder, box)
            else:
                self._blocks(box)

    def _end_list(self) -> None:
        self._builder.add("list", "\n".join(self._items))
        self._items.clear()

    def _heading_level(self, paragraph: Any, style_id: str | None) -> int:
        outline = outline_of(paragraph)
        if outline is None:
            return self._styles.heading_level(style_id)
        return outline + 1 if outline < _BODY_LEVEL else 0

    def _number(self, paragraph: Any, style_id: str | None) -> tuple[str | None, int]:
        """The list that the paragraph belongs to, if any, and its level there."""
        own_list, own_level = number_of(paragraph)
        list_id, level = self._styles.number(style_id)
        list_id = list_id if own_list is None else own_list
        if list_id is None or list_id == "0":
            return None, 0
        level = level if own_level is None else own_level
        if level is None:
            level = self._numbering.level_of_style(list_id, style_id)
        return list_id, min(level, _MAX_LEVEL)

    def _text(self, element: Any) -> str:
        pieces: list[str] = []
        self._described.clear()
        self._collect(element, pieces)
        return "".join(pieces).strip()

    def _collect(self, element: Any, pieces: list[str]) -> None:
        for child in element:
            tag = tag_of(child)
            if tag == "t":
                pieces.append(_PAGE_NUMBER if self._is_page_number() else child.text or "")
            elif tag in _BREAKS:
                pieces.append(_BREAKS[tag])
            elif tag == "txbxcontent":
                self._boxes.append(child)
            elif tag == "chart":
                self._boxes += self._chart(child.get(_RELATION, ""))
            elif tag == "hyperlink":
                self._link(child, pieces)
            elif tag in _NOTES:
                pieces.append(self._note(_NOTES[tag], child))
            elif tag == "r" and self._is_hidden(child, element):
                texts = (part.text or "" for part in child.iter(f"{WORD}t"))
                self._builder.hide("hidden text", "".join(texts))
            elif not self._left_out(child, tag) and not self._field(child, tag, pieces):
                self._collect(child, pieces)

    def _chart(self, reference: str) -> list[Any]:
        relation = self._relations.get(reference)
        if relation is None or relation.target not in self._package.archive:
            return []
        return [self._package.xml(relation.target)]

    def _left_out(self, element: Any, tag: str) -> bool:
        """Count what is no text of the document; whether `element` is that."""
        if tag in _LEFT_OUT:
            self._builder.leave_out(_LEFT_OUT[tag])
        elif tag == "docpr":
            self._described += filter(None, [one_line(element.get("descr") or "")])
        elif tag == "del":
            self._count_deleted(element)
        elif tag == "instrtext":
            return False
        return not tag or tag in _SKIPPED or tag in _LEFT_OUT

    def _field(self, element: Any, tag: str, pieces: list[str]) -> bool:
        """Follow fields: numbers of pages, and links; whether that was all of `element`."""
        if tag == "fldchar":
            self._border_of_field(element.get(f"{WORD}fldCharType"), pieces)
        elif tag == "instrtext" and self._fields:
            self._fields[-1].instruction += element.text or ""
        elif tag == "fldsimple":
            instruction = element.get(f"{WORD}instr", "")
            shown = [_PAGE_NUMBER] if _PAGE_FIELD.match(instruction) else list[str]()
            if not shown:
                self._collect(element, shown)
            pieces += [*shown, beside("".join(shown), _Field(instruction).target())]
        else:
            return False
        return True

    def _border_of_field(self, kind: str | None, pieces: list[str]) -> None:
        if kind == "begin":
            self._fields.append(_Field())
        elif kind == "separate" and self._fields:
            self._fields[-1].pieces, self._fields[-1].begin = pieces, len(pieces)
        elif kind == "end" and self._fields:
            ended = self._fields.pop()
            if ended.pieces is pieces:
                pieces.append(beside("".join(pieces[ended.begin :]), ended.target()))

    def _is_page_number(self) -> bool:
        return any(_PAGE_FIELD.match(each.instruction) for each in self._fields)

    def _is_hidden(self, run: Any, paragraph: Any) -> bool:
        own = is_on(run, "rPr vanish")
        if own or self._styles.is_unseen(run):
            return True
        if own is not None:
            return own
        by_run = value_of(run, "rPr rStyle")
        return self._styles.is_hidden(by_run) or self._styles.is_hidden(
            value_of(paragraph, "pPr pStyle")
        )

    def _count_deleted(self, element: Any) -> None:
        if any(part.text for part in element.iter(f"{WORD}delText", f"{WORD}t")):
            self._builder.leave_out("deleted text")

    def _note(self, kind: str, reference: Any) -> str:
        note = self._notes[kind].pop(str(reference.get(f"{WORD}id", "")), None)
        if note is None:
            return ""
        texts = [one_line(self._text(paragraph)) for paragraph in note.iter(f"{WORD}p")]
        text = " ".join(filter(None, texts))
        return f" ({text})" if text else ""

    def _inserted_file(self, relation: Relation | None) -> None:
        """A document of another format that Word merges in when it opens the file."""
        if relation is None or relation.target not in self._package.archive:
            return
        data, name = self._package.archive.read(relation.target), relation.target.rpartition("/")[2]
        try:
            read = add_nested(
                self._builder, data, name=name, media_type=None, request=self._request, titled=False
            )
        except DocumentError as error:
            if error.reason != "ocr_missing":
                raise
            read = False
        if not read:
            self._builder.leave_out("inserted file")

    def _link(self, link: Any, pieces: list[str]) -> None:
        """The target of an absolute link follows its text."""
        shown: list[str] = []
        self._collect(link, shown)
        text = "".join(shown)
        relation = self._relations.get(link.get(_RELATION, ""))
        target = relation.target if relation is not None and relation.external else ""
        pieces.append(text + beside(text, target))

    def _table(self, table: Any) -> None:
        self._builder.leave_out("deleted row", deleted_rows(table))
        if not lays_out(table):
            add_table(self._builder, self._rows(table))
            return
        for cell in cells_of(table):
            self._blocks(cell)
            self._end_list()

    def _rows(self, table: Any) -> list[list[Cell]]:
        return table_rows(table, lambda cell: " ".join(filter(None, self._cell_texts(cell))))

    def _cell_texts(self, cell: Any) -> Iterator[str]:
        for part in cell:
            if tag_of(part) == "tbl":
                yield in_line([[cell.text for cell in row] for row in self._rows(part)])
            else:
                # A cell that only shows an icon says what that is called.
                yield self._text(part) or " ".join(dict.fromkeys(self._described))
            boxes, self._boxes = self._boxes, []
            for box in boxes:
                yield from self._cell_texts(box)
