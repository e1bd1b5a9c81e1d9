"""Binary workbooks (.xlsb): the records of [MS-XLSB] that say what the sheets show."""

import posixpath
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from kb.formats.archive import Archive
from kb.formats.sheets.filling import ERRORS, MIN_POINTS, CellStyle, Filling
from kb.formats.sheets.number_format import BUILT_IN, GENERAL
from kb.formats.tables.sheet import Sheet

_BOOK = "xl/workbook.bin"
_ROW, _COLUMN, _MERGE, _STRING, _SHEET, _BOOK_SETTINGS = 0, 60, 176, 19, 156, 153
_FORMAT, _FONT, _FILL, _STYLE, _BEGIN_STYLES, _END_STYLES = 44, 43, 45, 47, 617, 618
_PACKED, _SHARED, _RICH, _YES_OR_NO = 2, 7, 62, (4, 10)
_NUMBERS, _TEXTS = frozenset({2, 5, 9}), frozenset({6, 7, 8, 62})
_CELLS = frozenset({2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 62})
_PAINTS = frozenset({461, 550, 551, 562, 660})
"""Conditional formats, drawings, old drawings, a picture behind the sheet, tables."""
_ROW_IS_HIDDEN = 0x10
_TWIPS = 20
_WHITE = b"\xff\xff\xff"
_BOLD = 700
_MAX_LENGTH_BYTES = 4
_LAST_ROW, _LAST_COLUMN = 1_048_575, 16_383


def read_binary_workbook(archive: Archive) -> Iterator[tuple[str, bool, Sheet]]:
    """Name, visibility and cells of each sheet of cells."""
    targets = _targets(archive, _BOOK)
    by_kind = {kind.rpartition("/")[2]: member for kind, member in targets.values()}
    strings = [
        _wide(body, 1)[0]
        for record, body in _records(archive, by_kind.get("sharedStrings", ""))
        if record == _STRING
    ]
    styles = _styles(archive, by_kind.get("styles", ""))
    since_1904 = False
    for record, body in _records(archive, _BOOK):
        if record == _BOOK_SETTINGS:
            since_1904 = bool(body[0] & 1)
        elif record == _SHEET:
            key, end = _wide(body, 8)
            name, _ = _wide(body, end)
            kind, member = targets.get(key, ("", ""))
            if kind.endswith("/worksheet"):
                reader = _Reader(strings, styles, Filling(since_1904=since_1904))
                yield name, _number(body, 0) == 0, reader.read(_records(archive, member))


@dataclass(frozen=True, slots=True)
class _Reader:
    """One sheet on its way."""

    strings: list[str]
    styles: list[CellStyle]
    filling: Filling

    def read(self, records: Iterator[tuple[int, bytes]]) -> Sheet:
        sheet, merges, painted, row = (
            self.filling.sheet,
            list[tuple[int, int, int, int]](),
            False,
            0,
        )
        for record, body in records:
            if record == _ROW:
                row = min(_number(body, 0), _LAST_ROW)
                if _number(body, 11, 1) & _ROW_IS_HIDDEN:
                    sheet.hidden_rows.add(row)
            elif record in _CELLS:
                self._add_cell(record, body, row)
            elif record == _COLUMN:
                first, last = _number(body, 0), min(_number(body, 4), _LAST_COLUMN)
                if _number(body, 16, 1) & 1 or not _number(body, 8):
                    sheet.hidden_columns.update(range(first, last + 1))
            elif record == _MERGE:
                merges.append(struct.unpack_from("<4I", body))
            painted = painted or record in _PAINTS
        return self.filling.finish(merges, painted=painted)

    def _add_cell(self, record: int, body: bytes, row: int) -> None:
        column, number = _number(body, 0), _number(body, 4, 3)
        style = self.styles[number] if number < len(self.styles) else CellStyle()
        if record in _NUMBERS:
            self.filling.add_number(row, column, _value(record, body), style)
        elif record in _TEXTS:
            self.filling.add_text(row, column, self._text(record, body), style)
        elif record in _YES_OR_NO:
            self.filling.add_sign(row, column, "yes" if body[8] else "no", style)
        else:
            self.filling.add_sign(row, column, ERRORS.get(body[8], "#N/A"), style)

    def _text(self, record: int, body: bytes) -> str:
        if record == _SHARED:
            index = _number(body, 8)
            return self.strings[index] if index < len(self.strings) else ""
        return _wide(body, 9 if record == _RICH else 8)[0]


def _records(archive: Archive, member: str) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each record; a file that ends within one ends before it."""
    if not member or member not in archive:
        return
    data = archive.read(member)
    at = 0
    while at < len(data):
        record = data[at]
        at += 1
        if record & 0x80 and at < len(data):
            record = record & 0x7F | data[at] << 7
            at += 1
        length = 0
        for place in range(_MAX_LENGTH_BYTES):
            if at >= len(data):
                return
            length |= (data[at] & 0x7F) << 7 * place
            at += 1
            if not data[at - 1] & 0x80:
                break
        if at + length > len(data):
            return
        yield record, data[at : at + length]
        at += length


def _styles(archive: Archive, member: str) -> list[CellStyle]:
    codes = dict(BUILT_IN)
    fonts: list[tuple[bool, bool, bool]] = []
    filled: list[bool] = []
    styles: list[CellStyle] = []
    are_of_cells = False
    for record, body in _records(archive, member):
        if record == _FORMAT:
            codes[_number(body, 0, 2)] = _wide(body, 2)[0]
        elif record == _FONT:
            is_tiny = _number(body, 0, 2) < MIN_POINTS * _TWIPS
            fonts.append((_number(body, 4, 2) >= _BOLD, is_tiny, _is_white(body[12:20])))
        elif record == _FILL:
            filled.append(_is_filled(body))
        elif record in (_BEGIN_STYLES, _END_STYLES):
            are_of_cells = record == _BEGIN_STYLES
        elif record == _STYLE and are_of_cells:
            code, font, fill = struct.unpack_from("<3H", body, 2)
            strong, tiny, white = fonts[font] if font < len(fonts) else (False, False, False)
            is_white = white and not (fill < len(filled) and filled[fill])
            styles.append(CellStyle(codes.get(code, GENERAL), strong, tiny, is_white))
    return styles


def _is_white(colour: bytes) -> bool:
    """Whether a colour is white: by itself, as the light one of the theme, or of the palette."""
    kind, index, tint = colour[0] >> 1, colour[1], struct.unpack_from("<h", colour, 2)[0]
    if tint < 0:
        return False
    if kind == 3:
        return index == 0
    return colour[4:7] == _WHITE if kind == 2 else kind == 1 and index in (1, 9)


def _is_filled(body: bytes) -> bool:
    pattern = _number(body, 0)
    return pattern > 1 or (pattern == 1 and not _is_white(body[4:12]))


def _targets(archive: Archive, member: str) -> dict[str, tuple[str, str]]:
    """Kind and member of each relation, by its id."""
    folder, name = posixpath.split(member)
    found: dict[str, tuple[str, str]] = {}
    for each in archive.xml(posixpath.join(folder, "_rels", f"{name}.rels")):
        path = posixpath.normpath(posixpath.join("/", folder, str(each.get("Target") or "")))
        found[str(each.get("Id"))] = (str(each.get("Type") or ""), path.lstrip("/"))
    return found


def _value(record: int, body: bytes) -> float:
    """The number of a cell; most of them are packed into 30 bits."""
    if record != _PACKED:
        return float(struct.unpack_from("<d", body, 8)[0])
    packed = _number(body, 8)
    if packed & 2:
        value = float((packed - (1 << 32) if packed & 1 << 31 else packed) >> 2)
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & ~3) << 32))[0]
    return value / 100 if packed & 1 else value


def _number(body: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(body[at : at + size], "little")


def _wide(body: bytes, at: int) -> tuple[str, int]:
    """A string with its length before it, and where it ends."""
    end = at + 4 + 2 * _number(body, at)
    return body[at + 4 : end].decode("utf-16-le", "replace"), end
