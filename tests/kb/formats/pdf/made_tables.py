"""Random tables as PDFs, in the styles that programs and typesetters draw them."""

import random
from dataclasses import dataclass
from io import BytesIO
from typing import Any

STYLES: dict[str, list[tuple[Any, ...]]] = {
    "grid": [("GRID", (0, 0), (-1, -1), 0.5, "black")],
    "lines": [("LINEBELOW", (0, 0), (-1, -1), 0.5, "black")],
    "booktabs": [
        ("LINEABOVE", (0, 0), (-1, 0), 1.2, "black"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, "black"),
        ("LINEBELOW", (0, -1), (-1, -1), 1.2, "black"),
    ],
    "zebra": [("ROWBACKGROUNDS", (0, 1), (-1, -1), ["#eeeeee", "#ffffff"])],
    "none": [],
}
_WORDS = (
    *("valve", "pump", "hose", "seal", "ring", "cover", "plate", "bolt", "washer", "filter"),
    *("motor", "switch", "cable", "drum", "wheel", "frame", "handle", "spring", "gauge", "nozzle"),
)
_NAMES = ("Code", "Article", "Price", "Stock", "Depot", "Weight", "Since")
_PROSE = (
    "The following list shows what we have in store and what each of these parts costs this year, "
    "with the fees for the delivery to your address in town, as was said in the letter."
)


@dataclass(frozen=True)
class MadeTable:
    """A table as it was drawn: its first column names each row."""

    style: str
    names: list[str]
    rows: list[list[str]]
    pdf: bytes

    def triples(self) -> list[tuple[str, str, str]]:
        """(row, column, value) of every cell with text, beside the first column."""
        return [
            (row[0], name, value)
            for row in self.rows
            for name, value in zip(self.names[1:], row[1:], strict=True)
            if value
        ]


def make_table(seed: int) -> MadeTable:
    """The table of a seed: 3 to 110 rows, some blank or wrapped cells, names repeated or not."""
    chance = random.Random(seed)
    style = list(STYLES)[seed % len(STYLES)]
    names: list[str] = list(_NAMES[: chance.randint(3, len(_NAMES))])
    blank = chance.choice((0.0, 0.0, 0.1))
    wraps = chance.random() < 0.3
    rows = [
        _row(chance, number, len(names), blank=blank) for number in range(chance.randint(3, 110))
    ]
    drawn = [names, *(_wrapped(row) if wraps else row for row in rows)]
    return MadeTable(style, names, rows, _drawn(drawn, STYLES[style], repeat=chance.randint(0, 1)))


def _row(chance: random.Random, number: int, width: int, *, blank: float) -> list[str]:
    kinds = (
        lambda: " ".join(chance.sample(_WORDS, chance.randint(1, 4))),
        lambda: f"{chance.randint(1, 999)}.{chance.randint(0, 99):02}",
        lambda: str(chance.randint(0, 5_000)),
        lambda: chance.choice(("North hall", "South hall", "Yard", "Office")),
        lambda: f"{chance.randint(1, 90)} kg",
        lambda: f"20{chance.randint(10, 26)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}",
    )
    cells = ["" if chance.random() < blank else make() for make in kinds[: width - 1]]
    return [f"SKU-{4_000 + number}", *cells]


def _wrapped(row: list[str]) -> list[str]:
    words = row[1].split()
    return [
        row[0],
        " ".join(words[:2]) + "\n" + " ".join(words[2:]) if words[2:] else row[1],
        *row[2:],
    ]


def _drawn(rows: list[list[str]], style: list[tuple[Any, ...]], *, repeat: int) -> bytes:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    buffer = BytesIO()
    body = getSampleStyleSheet()["BodyText"]
    table = Table(rows, repeatRows=repeat, style=[*style, ("VALIGN", (0, 0), (-1, -1), "TOP")])
    document: Any = SimpleDocTemplate(buffer, pagesize=(595, 842), invariant=1)
    document.build([Paragraph(_PROSE, body), table, Paragraph(_PROSE, body)])
    return buffer.getvalue()


def triples_right(made: MadeTable, text: str) -> int:
    """How many of a table's triples the stored text says, read without the code that writes it.

    A row names its columns itself, or stands below the line of names with a cell for each of its
    cells.
    """
    lines = [[cell.strip() for cell in line.split(" | ")] for line in text.split("\n")]
    named = any(line == made.names for line in lines)
    by_row = {line[0].removeprefix(f"{made.names[0]}: "): line for line in lines}
    right = 0
    for row, name, value in made.triples():
        cells = by_row.get(row, [])
        at = made.names.index(name)
        placed = named and at < len(cells) and cells[at] == value
        right += f"{name}: {value}" in cells or placed
    return right
