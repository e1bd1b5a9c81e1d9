"""Cells put into a sheet by what their styles show of them, for the formats before .xlsx."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kb.formats.sheets.number_format import GENERAL, show_number
from kb.formats.sheets.unseen import shows_no_text
from kb.formats.tables.grid import Cell
from kb.formats.tables.sheet import Sheet

MIN_POINTS = 1.5
"""Type below this size is seen by nobody."""
ERRORS = {
    0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CellStyle:
    """What the format of a cell does to what is in it."""

    code: str = GENERAL
    """Its number format."""
    strong: bool = False
    tiny: bool = False
    white: bool = False
    """White text on a cell without a colour."""


class Filling:
    """A sheet while its cells come in."""

    def __init__(self, *, since_1904: bool = False) -> None:
        self.sheet = Sheet()
        self._since_1904 = since_1904
        self._pale: list[tuple[int, int]] = []

    def add_number(self, row: int, column: int, value: float, style: CellStyle) -> None:
        """Put in a number as its format shows it."""
        whole = value.is_integer() and abs(value) < 1e15
        stated = str(int(value)) if whole else repr(value)
        shown = show_number(stated, style.code, since_1904=self._since_1904).strip()
        if style.tiny or not shown:
            self.sheet.unseen.append(stated)
        else:
            self._add(row, column, shown, style)

    def add_text(self, row: int, column: int, text: str, style: CellStyle) -> None:
        """Put in words, unless their style shows nothing of them."""
        if not text.strip():
            return
        if style.tiny or shows_no_text(style.code):
            self.sheet.unseen.append(text)
        else:
            self._add(row, column, text.strip(), style)

    def add_sign(self, row: int, column: int, text: str, style: CellStyle) -> None:
        """Put in what no format changes: an error, or yes and no."""
        if style.tiny:
            self.sheet.unseen.append(text)
        else:
            self._add(row, column, text, style)

    def _add(self, row: int, column: int, text: str, style: CellStyle) -> None:
        self.sheet.add(row, column, Cell(text, strong=style.strong))
        if style.white:
            self._pale.append((row, column))

    def finish(self, merges: Iterable[tuple[int, int, int, int]], *, painted: bool) -> Sheet:
        """The sheet, its cells merged over first row, last row, first column and last column.

        Args:
            merges: Each with both ends included.
            painted: Something may lay a colour behind cells, so that white text may be seen.
        """
        for row, column in () if painted else self._pale:
            self.sheet.unseen.append(self.sheet.rows[row].pop(column).text)
        for top, bottom, left, right in merges:
            cell = self.sheet.rows.get(top, {}).get(left)
            if cell is not None:
                spanning = replace(cell, rows=bottom - top + 1, columns=right - left + 1)
                self.sheet.add(top, left, spanning)
        return self.sheet
