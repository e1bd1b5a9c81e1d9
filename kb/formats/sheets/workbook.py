"""The cells of an .xlsx workbook, read as they come: a sheet costs what is in it, not its area.

Read here and not by a library: what a cell shows depends on its style and on what is hidden or
merged, and the readers that know all this hold whole areas in memory or take many times as long.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import Any

from kb.formats.archive import Archive
from kb.formats.link_targets import beside
from kb.formats.sheets.around import headers_of
from kb.formats.sheets.number_format import BUILT_IN, GENERAL, show_number
from kb.formats.sheets.unseen import PAINTS, shows_no_text, unseen_styles
from kb.formats.tables.grid import Cell
from kb.formats.tables.sheet import Sheet
from kb.formats.theme import read_theme
from kb.formats.vendors import vendor

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_HYPERLINK = re.compile(r'\s*HYPERLINK\(\s*"([^"]+)"', re.IGNORECASE)
_MAX_FORMULA_CHARS = 1_000
_LAST_COLUMN = 16_383
_LAST_ROW = 1_048_575
_TEXTS = ("s", "str", "inlineStr")
_NO_SIZE = ("0", "0.0")
_TRUE = ("1", "true", "on")


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook lists it."""

    name: str
    visible: bool
    member: str
    """Its file inside of the archive; empty for a sheet that holds only a chart."""


class Workbook:
    """An .xlsx file; its sheets are read one at a time."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        root = "xl/workbook.xml"
        for relation in _relations(archive, ""):
            if relation[1].endswith("/officeDocument"):
                root = relation[2]
        self._folder = posixpath.dirname(root)
        book = archive.xml(root)
        relations = {key: (kind, to) for key, kind, to in _relations(archive, root)}
        self.sheets = tuple(self._entries(book, relations))
        self._since_1904 = any(
            _is_true(element, "date1904") for element in book.iter() if _is(element, "workbookPr")
        )
        by_kind = {kind.rpartition("/")[2]: to for kind, to in relations.values()}
        self._pale: list[tuple[int, int]] = []
        """Cells of the sheet being read whose text is white where nothing lies behind it."""
        self._strings = self._shared_strings(by_kind.get("sharedStrings", ""))
        styles = by_kind.get("styles", "")
        root = archive.xml(styles) if styles in archive else None
        self._codes = _format_codes(root) if root is not None else []
        self._strong = _bold_styles(root) if root is not None else set[int]()
        theme = by_kind.get("theme", "")
        self._tiny, self._white = unseen_styles(
            root, read_theme(lambda: archive.xml(theme)) if theme in archive else None
        )

    def read(self, entry: SheetEntry) -> Sheet:
        """All cells of a sheet, with what is hidden marked as such."""
        sheet = Sheet()
        merges: list[tuple[int, int, int, int]] = []
        self._pale, painted = [], False
        links: dict[str, str] | None = None
        row = -1
        source = BytesIO(self._archive.read(entry.member))
        for _, element in vendor("lxml.etree").iterparse(
            source,
            tag=("{*}row", "{*}col", "{*}mergeCell", "{*}hyperlink", "{*}headerFooter", *PAINTS),
            resolve_entities=False,
            no_network=True,
            huge_tree=True,
        ):
            if _is(element, "row"):
                row = self._read_row(sheet, element, row + 1)
                _release(element)
            elif _is(element, "headerFooter"):
                sheet.left_out += headers_of(element)
            elif _is(element, "col") and _is_shut(element, "width"):
                last = min(_number(element.get("max"), 1) - 1, _LAST_COLUMN)
                sheet.hidden_columns.update(range(_number(element.get("min"), 1) - 1, last + 1))
            elif _is(element, "mergeCell"):
                merges += _area(element.get("ref") or "")
            elif _is(element, "hyperlink"):
                links = links if links is not None else self._links(entry.member)
                _link(sheet, element, links)
            painted |= f"{{*}}{element.tag.rpartition('}')[2]}" in PAINTS
        for at in () if painted else self._pale:
            sheet.unseen.append(sheet.rows[at[0]].pop(at[1]).text)
        _merge(sheet, merges)
        return sheet

    def beside(self, entry: SheetEntry) -> tuple[list[str], list[str]]:
        """The members that hold the drawings on a sheet, and the notes to its cells."""
        related = [(kind, to) for _, kind, to in _relations(self._archive, entry.member)]
        return (
            [to for kind, to in related if kind.endswith("/drawing")],
            [to for kind, to in related if kind.endswith("/comments")],
        )

    def _links(self, member: str) -> dict[str, str]:
        """Where the links of a sheet lead, by the id of their relation."""
        folder, name = posixpath.split(member)
        listing = posixpath.join(folder, "_rels", f"{name}.rels")
        if listing not in self._archive:
            return {}
        return {
            str(each.get("Id")): str(each.get("Target") or "")
            for each in self._archive.xml(listing)
            if each.get("TargetMode") == "External"
        }

    def _entries(self, book: Any, relations: dict[str, tuple[str, str]]) -> Iterator[SheetEntry]:
        for element in book.iter():
            if _is(element, "sheet"):
                key = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
                kind, member = relations.get(str(key), ("", ""))
                yield SheetEntry(
                    name=element.get("name") or "",
                    visible=element.get("state") in (None, "visible"),
                    member=member if kind.endswith("/worksheet") else "",
                )

    def _read_row(self, sheet: Sheet, element: Any, following: int) -> int:
        number = min(_number(element.get("r"), following + 1) - 1, _LAST_ROW)
        if _is_shut(element, "ht"):
            sheet.hidden_rows.add(number)
        column = -1
        for cell in element:
            if cell.tag[-2:] == "}c":
                letters = (cell.get("r") or "").rstrip("0123456789")
                column = _column(letters) if letters else column + 1
                self._add_cell(sheet, number, column, cell)
        return number

    def _add_cell(self, sheet: Sheet, row: int, column: int, cell: Any) -> None:
        text, style = self._text(cell).strip(), _number(cell.get("s"), 0)
        code = self._codes[style] if style < len(self._codes) else GENERAL
        stated = next((part.text or "" for part in cell if part.tag[-2:] == "}v"), "")
        if style in self._tiny or (cell.get("t") in _TEXTS and shows_no_text(code)):
            sheet.unseen.append(text)
        elif not text and cell.get("t") in (None, "n"):
            sheet.unseen += [stated] if stated else []
            if not stated and any(part.tag[-2:] == "}f" for part in cell):
                sheet.left_out.append("formula without a value")
        elif text and column <= _LAST_COLUMN:
            sheet.add(row, column, Cell(text, strong=style in self._strong))
            if style in self._white:
                self._pale.append((row, column))

    def _text(self, cell: Any) -> str:
        """What a cell shows."""
        kind = cell.get("t") or "n"
        if kind == "inlineStr":
            return _string(cell)
        value = next((part.text or "" for part in cell if part.tag[-2:] == "}v"), "")
        if kind == "str":
            return _unescaped(value) + beside(value, _linked_by_formula(cell))
        if kind == "s":
            index = _number(value, -1)
            return self._strings[index] if 0 <= index < len(self._strings) else ""
        if kind == "b":
            return "yes" if value in _TRUE else "no"
        if kind == "d":
            return value.removesuffix("T00:00:00").removesuffix("Z")
        if kind != "n" or not value:
            return _unescaped(value)
        style = _number(cell.get("s"), 0)
        code = self._codes[style] if style < len(self._codes) else GENERAL
        return show_number(value, code, since_1904=self._since_1904)

    def _shared_strings(self, member: str) -> list[str]:
        if not member or member not in self._archive:
            return []
        return [_string(item) for item in self._archive.xml(member) if _is(item, "si")]


def _format_codes(styles: Any) -> list[str]:
    """The number format of each style of cells."""
    own = {
        _number(element.get("numFmtId"), 0): element.get("formatCode") or GENERAL
        for element in styles.iter()
        if _is(element, "numFmt")
    }
    codes = BUILT_IN | own
    return [
        codes.get(_number(style.get("numFmtId"), 0), GENERAL)
        for style in _children(styles, "cellXfs")
    ]


def _bold_styles(styles: Any) -> set[int]:
    """The styles of cells whose font is bold."""
    bold = [
        any(_is(part, "b") and part.get("val") not in ("0", "false") for part in font)
        for font in _children(styles, "fonts")
    ]
    fonts = [_number(style.get("fontId"), 0) for style in _children(styles, "cellXfs")]
    return {index for index, font in enumerate(fonts) if font < len(bold) and bold[font]}


def _children(styles: Any, group: str) -> list[Any]:
    return [part for parts in styles if _is(parts, group) for part in parts]


def _relations(archive: Archive, member: str) -> Iterator[tuple[str, str, str]]:
    """Id, kind and target of what a member of the archive refers to."""
    folder, name = posixpath.split(member)
    listing = posixpath.join(folder, "_rels", f"{name}.rels")
    if listing in archive:
        for element in archive.xml(listing):
            target = str(element.get("Target") or "")
            inside = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            yield str(element.get("Id")), str(element.get("Type") or ""), inside


def _link(sheet: Sheet, element: Any, links: dict[str, str]) -> None:
    """Write where a link leads behind the text of its cell."""
    key = next((value for name, value in element.attrib.items() if name.endswith("}id")), "")
    place = _REFERENCE.fullmatch((element.get("ref") or "").partition(":")[0])
    if place is None:
        return
    row, column = int(place[2]) - 1, _column(place[1])
    cell = sheet.rows.get(row, {}).get(column)
    if cell is not None and (target := beside(cell.text, links.get(str(key)))):
        sheet.add(row, column, replace(cell, text=cell.text + target))


def _merge(sheet: Sheet, merges: list[tuple[int, int, int, int]]) -> None:
    for top, left, bottom, right in merges:
        cell = sheet.rows.get(top, {}).get(left)
        if cell is not None:
            rows, columns = bottom - top + 1, right - left + 1
            sheet.add(top, left, Cell(cell.text, rows, columns, strong=cell.strong))


def _area(reference: str) -> Iterator[tuple[int, int, int, int]]:
    begin, _, end = reference.partition(":")
    first, last = _REFERENCE.fullmatch(begin), _REFERENCE.fullmatch(end)
    if first and last:
        yield int(first[2]) - 1, _column(first[1]), int(last[2]) - 1, _column(last[1])


@lru_cache(maxsize=1_000)
def _column(letters: str) -> int:
    number = 0
    for letter in letters[:5].upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _linked_by_formula(cell: Any) -> str:
    formula = next((part.text or "" for part in cell if part.tag[-2:] == "}f"), "")
    linked = _HYPERLINK.match(formula[:_MAX_FORMULA_CHARS])
    return linked[1] if linked else ""


def _string(item: Any) -> str:
    """The text of a string, its runs joined; readings for another script are left out."""
    pieces: list[str] = []
    for part in item.iter():
        if _is(part, "t") and not _is(part.getparent(), "rPh"):
            pieces.append(part.text or "")
    return _unescaped("".join(pieces))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text) if "_x" in text else text


def _release(element: Any) -> None:
    """Forget a row, and those before it: a sheet may have a million."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _number(value: str | None, default: int) -> int:
    return int(value) if value is not None and value.isdecimal() and len(value) < 9 else default


def _is(element: Any, name: str) -> bool:
    tag = element.tag
    return isinstance(tag, str) and tag.rpartition("}")[2] == name


def _is_shut(element: Any, size: str) -> bool:
    """Whether a row or column is hidden, or has no size."""
    return _is_true(element, "hidden") or element.get(size) in _NO_SIZE


def _is_true(element: Any, attribute: str) -> bool:
    return element.get(attribute) in _TRUE
