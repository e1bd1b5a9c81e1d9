"""Random tables with spans, merges and empty cells, written in every format."""

from collections import Counter
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.kb.formats.documents import docx, parse, zipped


class Spanning(NamedTuple):
    text: str
    rows: int = 1
    columns: int = 1


class Made(NamedTuple):
    """A table: its cells by row and column of their first place, and what each place means."""

    height: int
    width: int
    header_rows: int
    cells: dict[tuple[int, int], Spanning]
    names: list[str]
    values: dict[tuple[int, int], str]
    """What a reader sees in each place of the body, blank places left out."""


@st.composite
def tables(draw: st.DrawFn) -> Made:
    width, body = draw(st.integers(3, 6)), draw(st.integers(2, 14))
    cells: dict[tuple[int, int], Spanning] = {}
    names = [f"Name{column}" for column in range(width)]
    header_rows = 1
    if draw(st.booleans()):
        header_rows = 2
        group = draw(st.integers(2, width - 1))
        begin = draw(st.integers(1, width - group))
        cells[0, begin] = Spanning("Group", 1, group)
        for column in range(width):
            if begin <= column < begin + group:
                cells[1, column] = Spanning(names[column])
                names[column] = f"Group / {names[column]}"
            else:
                cells[0, column] = Spanning(names[column], 2, 1)
    else:
        cells |= {(0, column): Spanning(name) for column, name in enumerate(names)}
    long = draw(st.sampled_from(["", " which needs some room so that the table is large"]))
    values: dict[tuple[int, int], str] = {}
    taken: set[tuple[int, int]] = set()
    for row in range(header_rows, header_rows + body):
        for column in range(width):
            if (row, column) in taken:
                continue
            last = column == width - 1
            ends = last and row == header_rows + body - 1
            if column and not ends and draw(st.integers(0, 5)) == 0:
                continue
            rows = min(draw(st.sampled_from([1, 1, 1, 2, 3])), header_rows + body - row)
            rows = 1 if last else rows
            columns = 1
            wide = rows == 1 and 0 < column < width - 1 and (row, column + 1) not in taken
            if wide and draw(st.integers(0, 4)) == 0:
                columns = 2
            figure = last or columns == 2
            text = f"{row}{column}.5" if figure else f"v{row}x{column}{long}"
            cells[row, column] = Spanning(text, rows, columns)
            for place in _places(row, column, cells[row, column]):
                taken.add(place)
                values[place] = text
    return Made(header_rows + body, width, header_rows, cells, names, values)


def _places(row: int, column: int, cell: Spanning) -> list[tuple[int, int]]:
    return [
        (row + down, column + right) for down in range(cell.rows) for right in range(cell.columns)
    ]


def html_table(made: Made) -> str:
    covered = {
        place for at, cell in made.cells.items() for place in _places(*at, cell) if place != at
    }
    lines: list[str] = []
    for row in range(made.height):
        tag = "th" if row < made.header_rows else "td"
        line = ""
        for column in range(made.width):
            if (row, column) in covered:
                continue
            cell = made.cells.get((row, column), Spanning(""))
            spans = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
            spans += f' colspan="{cell.columns}"' if cell.columns > 1 else ""
            line += f"<{tag}{spans}>{escape(cell.text)}</{tag}>"
        lines.append(f"<tr>{line}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def page(made: Made) -> bytes:
    prose = (
        "<p>" + "The office explains its rates here, so that all can plan the day. " * 8 + "</p>"
    )
    return f"<html><body><article>{prose}{html_table(made)}</article></body></html>".encode()


def book(made: Made) -> bytes:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" '
        'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine>'
        "</package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>"
    )
    chapter = f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{html_table(made)}</body></html>'
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "a.opf": package,
            "a.xhtml": chapter,
        }
    )


def mail(made: Made) -> bytes:
    head = "From: a@example.com\nSubject: Rates\nMIME-Version: 1.0\nContent-Type: text/html\n\n"
    return f"{head}<html><body>{html_table(made)}</body></html>".encode()


def word(made: Made) -> bytes:
    def build(document: Any) -> None:
        table = document.add_table(rows=made.height, cols=made.width)
        for (row, column), cell in made.cells.items():
            first = table.cell(row, column)
            if cell.rows * cell.columns > 1:
                last = table.cell(row + cell.rows - 1, column + cell.columns - 1)
                first = first.merge(last)
            first.text = cell.text

    return docx(build)


def slide(made: Made) -> bytes:
    from pptx import Presentation
    from pptx.util import Inches

    presentation: Any = Presentation()
    shapes = presentation.slides.add_slide(presentation.slide_layouts[6]).shapes
    box = [Inches(1)] * 4
    table = shapes.add_table(made.height, made.width, *box).table
    for (row, column), cell in made.cells.items():
        first = table.cell(row, column)
        if cell.rows * cell.columns > 1:
            first.merge(table.cell(row + cell.rows - 1, column + cell.columns - 1))
        first.text = cell.text
    buffer = BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def sheet(made: Made) -> bytes:
    import xlsxwriter

    buffer = BytesIO()
    workbook: Any = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page = workbook.add_worksheet("Rates")
    for (row, column), cell in made.cells.items():
        value = float(cell.text) if cell.text.endswith(".5") else cell.text
        if cell.rows * cell.columns > 1:
            page.merge_range(row, column, row + cell.rows - 1, column + cell.columns - 1, value)
        else:
            page.write(row, column, value)
    workbook.close()
    return buffer.getvalue()


def _open_table(made: Made) -> str:
    covered = {
        place for at, cell in made.cells.items() for place in _places(*at, cell) if place != at
    }
    lines: list[str] = []
    for row in range(made.height):
        line = ""
        for column in range(made.width):
            if (row, column) in covered:
                line += "<table:covered-table-cell/>"
                continue
            cell = made.cells.get((row, column), Spanning(""))
            spans = f'table:number-rows-spanned="{cell.rows}" ' if cell.rows > 1 else ""
            spans += f'table:number-columns-spanned="{cell.columns}"' if cell.columns > 1 else ""
            inside = f"<text:p>{escape(cell.text)}</text:p>" if cell.text else ""
            line += f"<table:table-cell {spans}>{inside}</table:table-cell>"
        lines.append(f"<table:table-row>{line}</table:table-row>")
    return f'<table:table table:name="Rates">{"".join(lines)}</table:table>'


def open_document(kind: str, body: str) -> bytes:
    """An OpenDocument file of a kind such as `text`."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "manifest", "drawing")
    ).replace("xmlns:drawing", "xmlns:draw")
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "META-INF/manifest.xml": f"<manifest {names}/>",
            "content.xml": f"<office:document-content {names}><office:body><office:{kind}>{body}"
            f"</office:{kind}></office:body></office:document-content>",
        }
    )


def open_text(made: Made) -> bytes:
    return open_document("text", _open_table(made))


def open_sheet(made: Made) -> bytes:
    return open_document("spreadsheet", _open_table(made))


def markdown_html(made: Made) -> bytes:
    return f"# Rates\n\n{html_table(made)}\n\nText after.\n".encode()


def _filled(made: Made) -> list[list[str]]:
    """Rows of a format without spans: what is merged is written in each of its places."""
    body = range(made.header_rows, made.height)
    rows = [[made.values.get((row, at), "") for at in range(made.width)] for row in body]
    return [made.names, *rows]


def markdown(made: Made) -> bytes:
    lines = ["| " + " | ".join(row) + " |" for row in _filled(made)]
    return "\n".join(["# Rates", "", lines[0], "|---" * made.width + "|", *lines[1:]]).encode()


def separated(made: Made) -> bytes:
    return "\n".join(";".join(row) for row in _filled(made)).encode()


def printed(made: Made) -> bytes:
    """A ruled table of a PDF, on a page that is wide enough for it."""
    from reportlab.platypus import SimpleDocTemplate, Table

    grid = [[""] * made.width for _ in range(made.height)]
    style: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.5, "black"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    for (row, column), cell in made.cells.items():
        grid[row][column] = cell.text
        if cell.rows * cell.columns > 1:
            last = column + cell.columns - 1, row + cell.rows - 1
            style.append(("SPAN", (column, row), last))
    buffer = BytesIO()
    width = 60 + 260 * made.width
    document: Any = SimpleDocTemplate(buffer, pagesize=(max(width, 600), 900), invariant=1)
    document.build([Table(grid, style=style)])
    return buffer.getvalue()


def rich_text(made: Made) -> bytes:
    """A table of RTF: cells by their right edges, those merged down repeated."""
    lines: list[str] = []
    at_place = {place: at for at, cell in made.cells.items() for place in _places(*at, cell)}
    for row in range(made.height):
        shape = texts = ""
        column = 0
        while column < made.width:
            top, begin = at_place.get((row, column), (row, column))
            cell = made.cells.get((top, begin), Spanning(""))
            if cell.rows > 1:
                shape += r"\clvmgf" if top == row else r"\clvmrg"
            column = begin + cell.columns
            shape += rf"\cellx{1500 * column}"
            texts += (cell.text if top == row else "") + r"\cell "
        lines.append(rf"\trowd{shape}\pard\intbl {texts}\row ")
    return rf"{{\rtf1\ansi {''.join(lines)}\pard\par}}".encode()


def old_sheet(made: Made) -> bytes:
    """A workbook of Excel 97."""
    import xlwt

    book: Any = xlwt.Workbook()
    page = book.add_sheet("Rates")
    for (row, column), cell in made.cells.items():
        value = float(cell.text) if cell.text.endswith(".5") else cell.text
        last = row + cell.rows - 1, column + cell.columns - 1
        page.write_merge(row, last[0], column, last[1], value)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


FORMATS: dict[str, Callable[[Made], bytes]] = {
    "a.html": page,
    "a.epub": book,
    "a.eml": mail,
    "a.docx": word,
    "a.pptx": slide,
    "a.xlsx": sheet,
    "a.odt": open_text,
    "a.ods": open_sheet,
    "html.md": markdown_html,
    "a.md": markdown,
    "a.csv": separated,
    "a.pdf": printed,
    "a.rtf": rich_text,
    "a.xls": old_sheet,
}


def triples(made: Made, text: str) -> tuple[int, int]:
    """How many (row, column, value) triples the stored text says, and how many there are.

    Read without the code that writes: a row names its columns itself, or the line of names stands
    above it and has a cell for each of its cells. A row that has only a name is that name.
    """
    lines = [line.split(" | ") for line in text.split("\n")]
    at = next((i for i, line in enumerate(lines) if line[0].strip() == made.names[0]), None)
    if at is None:
        return 0, len(made.values)
    names, rows = lines[at], lines[at + 1 :]
    bodies = [row for row in range(made.header_rows, made.height)]
    right = 0
    for row, line in zip(bodies, rows, strict=False):
        cells = [cell.strip(" |") for cell in line]
        for column, name in enumerate(made.names):
            value = made.values.get((row, column))
            if value is None:
                continue
            labelled = f"{name}: {value}" in cells
            placed = len(names) == made.width and names[column].strip() == name
            placed = placed and column < len(cells) and cells[column] == value
            right += labelled or placed or (column == 0 and cells == [value])
    return right, len(made.values)


def right_triples(name: str, *, tables_made: int, number: int) -> tuple[int, int]:
    """How many triples of so many fresh tables are right in one format, and how many there are.

    `number` is that of the series: the same one makes the same tables.
    """
    counted = Counter[str]()

    @seed(number)
    @settings(
        max_examples=tables_made,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(made=tables())
    def count(made: Made) -> None:
        right, wanted = triples(made, parse(FORMATS[name](made), name).text)
        counted.update(right=right, wanted=wanted)

    count()
    return counted["right"], counted["wanted"]
