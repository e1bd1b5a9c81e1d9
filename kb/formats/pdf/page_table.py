"""A table as it was found on a page."""

from dataclasses import dataclass

from kb.formats.pdf.words import PageWord


@dataclass(frozen=True, slots=True)
class TableCell:
    """A cell; `column` counts from 0, `rows` and `columns` say how many it covers."""

    text: str
    column: int
    rows: int = 1
    columns: int = 1


@dataclass(frozen=True, slots=True)
class PageTable:
    """The rows of a table on one page."""

    rows: tuple[tuple[TableCell, ...], ...]
    words: frozenset[PageWord]
    """What it holds; in no line beside it any more."""
    borders: tuple[float, ...]
    """Where its columns begin and the last one ends, in points from the left."""
    gaps: tuple[tuple[float, float], ...] = ()
    """The blanks between its columns where no rules part them."""

    def goes_on_with(self, other: "PageTable") -> bool:
        """Whether `other`, first on the next page, has the same columns."""
        if self.gaps and self.gaps == other.gaps:
            return True
        pairs = zip(self.borders, other.borders, strict=False)
        return len(self.borders) == len(other.borders) and all(
            abs(mine - its) <= _ALIKE for mine, its in pairs
        )


_ALIKE = 12.0
"""In points; unruled columns begin where their longest value does."""
