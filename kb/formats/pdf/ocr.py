"""Text in pictures of pages, read by RapidOCR with the models that lie in its wheel."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from kb.embedding.onnx_runtime import import_onnxruntime
from kb.errors import DocumentError
from kb.formats.pdf.lines import PageLine
from kb.formats.vendors import vendor

INSTALL = "pip install 'vivavoce[ocr]'"
DPI = 200
MAX_PIXELS = 6_000_000
"""Of one rendered page; an A4 page at 200 dpi has 3.9 million. Larger sheets are drawn coarser."""
DETECTION_SIDE = 1_280
"""Pixels of the longer side when looking for lines; they are then read at full resolution."""
MIN_CONFIDENCE = 0.5
"""Lines that the model is less sure of are specks and drawings more often than words."""
THREADS = 2
"""More make a page hardly faster, and each takes address space."""

HEADING_HEIGHT_RATIO = 1.35
"""A line this much higher than the page's usual one is set in larger type; less is chance."""
MIN_COLUMN_LINES = 4
MIN_COLUMN_CHARS = 15
"""Median of a column's lines; what is shorter is a table and read row by row."""
MAX_SPANNING_SHARE = 0.25
"""Of a page's lines may run across the gap between two columns, as titles do."""

_POINTS_PER_INCH = 72


@dataclass(frozen=True, slots=True)
class RecognisedText:
    """A piece of text in a picture, with the box around it in points from the top left."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Of the box, which is somewhat higher than the type."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Where the box lies vertically."""
        return (self.top + self.bottom) / 2


def read_page(document: Any, index: int, *, name: str, body_size: float) -> list[PageLine]:
    """Render one page of an open pdfium document and read it, in reading order.

    Args:
        document: Of pypdfium2.
        index: Of the page, from 0.
        name: Of the file, for messages.
        body_size: Size that lines of usual height are said to have.

    Raises:
        DocumentError: `ocr_missing` when the optional libraries are not installed.
        MemoryError: The page took more than the process may have.
    """
    engine = _engine_or_refusal(name)
    page = document[index]
    try:
        width, height = page.get_size()
        scale = render_scale(width, height)
        image = page.render(scale=scale, may_draw_forms=False).to_numpy()
    finally:
        page.close()
    found = _recognise(engine, image, scale)
    return to_lines(found, page_height=height, body_size=body_size)


def holds_anything(document: Any, index: int) -> bool:
    """Whether a page draws something; a blank or broken one needs no recognition."""
    try:
        page = document[index]
    except vendor("pypdfium2").PdfiumError:
        return False
    try:
        return vendor("pypdfium2.raw").FPDFPage_CountObjects(page.raw) != 0
    finally:
        page.close()


def render_scale(width: float, height: float) -> float:
    """Pixels per point: `DPI`, or less for a sheet that would have more than `MAX_PIXELS`."""
    return min(DPI / _POINTS_PER_INCH, math.sqrt(MAX_PIXELS / max(width * height, 1.0)))


def to_lines(
    found: Sequence[RecognisedText], *, page_height: float, body_size: float
) -> list[PageLine]:
    """Bring what was found into reading order, as lines measured like those of a text layer."""
    rows = reading_order(found)
    heights = [_height(row) for row in rows]
    usual = median(heights) if heights else 0.0
    lines = [
        PageLine(
            " ".join(piece.text for piece in row),
            baseline=(baseline := page_height - sum(piece.middle for piece in row) / len(row)),
            end_baseline=baseline,
            size=_type_size(height, usual, body_size),
        )
        for row, height in zip(rows, heights, strict=True)
    ]
    return _without_line_end_hyphens(lines)


def reading_order(found: Sequence[RecognisedText]) -> list[list[RecognisedText]]:
    """Rows of pieces, column by column; what spans all columns separates bands of them."""
    gap = _column_gap(found)
    if gap is None:
        return _rows(found)
    ordered: list[list[RecognisedText]] = []
    left: list[RecognisedText] = []
    right: list[RecognisedText] = []
    for piece in sorted(found, key=lambda piece: piece.middle):
        if piece.right <= gap:
            left.append(piece)
        elif piece.left >= gap:
            right.append(piece)
        else:
            ordered += [*reading_order(left), *reading_order(right), [piece]]
            left, right = [], []
    return [*ordered, *reading_order(left), *reading_order(right)]


def _column_gap(found: Sequence[RecognisedText]) -> float | None:
    """Where two columns of prose part; None when there is one column, or a table."""
    best: tuple[int, float] | None = None
    for at in {piece.left for piece in found}:
        left = [piece for piece in found if piece.right <= at]
        right = [piece for piece in found if piece.left >= at]
        spanning = len(found) - len(left) - len(right)
        lines = min(len(left), len(right))
        if lines < MIN_COLUMN_LINES or spanning > MAX_SPANNING_SHARE * len(found):
            continue
        if _is_prose(left) and _is_prose(right) and (best is None or (lines, at) > best):
            best = (lines, at)
    return best[1] if best else None


def _is_prose(found: Sequence[RecognisedText]) -> bool:
    return median(len(piece.text) for piece in found) >= MIN_COLUMN_CHARS


def _rows(found: Sequence[RecognisedText]) -> list[list[RecognisedText]]:
    rows: list[list[RecognisedText]] = []
    for piece in sorted(found, key=lambda piece: (piece.middle, piece.left)):
        last = rows[-1][-1] if rows else None
        if last and abs(piece.middle - last.middle) < min(piece.height, last.height) / 2:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _height(row: Sequence[RecognisedText]) -> float:
    return max(piece.height for piece in row)


def _type_size(height: float, usual: float, body_size: float) -> float:
    """In steps, since boxes of one type differ by their letters."""
    ratio = height / usual if usual else 1.0
    return body_size * round(ratio * 4) / 4 if ratio >= HEADING_HEIGHT_RATIO else body_size


def _without_line_end_hyphens(lines: Sequence[PageLine]) -> list[PageLine]:
    """Join a word that was cut at the end of a line; both lines become one, as pdfium does it."""
    joined = list(lines[:1])
    for before, line in pairwise(lines):
        text = before.text
        cut = len(text) > 1 and text.endswith("-") and text[-2].isalpha()
        if cut and line.text[:1].islower() and before.size == line.size:
            last = joined.pop()
            joined.append(
                PageLine(
                    f"{last.text[:-1]}\ufffe{line.text}", last.baseline, line.baseline, last.size
                )
            )
        else:
            joined.append(line)
    return joined


def _recognise(engine: Any, image: Any, scale: float) -> list[RecognisedText]:
    try:
        result = engine(image, use_cls=False)
    except Exception as error:
        if _is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        raise
    texts: Sequence[str] | None = getattr(result, "txts", None)
    if texts is None:
        return []
    found: list[RecognisedText] = []
    for text, corners in zip(texts, result.boxes, strict=True):
        xs, ys = ([float(corner[axis]) / scale for corner in corners] for axis in (0, 1))
        top, bottom = (ys[0] + ys[1]) / 2, (ys[2] + ys[3]) / 2
        found.append(RecognisedText(text.strip(), min(xs), top, max(xs), bottom))
    return found


def _is_out_of_memory(error: Exception) -> bool:
    """Native code says in its own ways that it was refused memory."""
    message = str(error).lower()
    return any(sign in message for sign in ("alloc", "insufficient memory", "failed to map"))


def _engine_or_refusal(name: str) -> Any:
    try:
        return _engine()
    except ImportError as error:
        if _is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        raise DocumentError(
            "ocr_missing",
            f"{name!r} has pages without a text layer and `parsing.ocr` is on, but the libraries "
            f"for text recognition are not installed ({error}). Run `{INSTALL}`, or switch "
            "`parsing.ocr` off.",
        ) from error


@cache
def _engine() -> Any:
    """Load the models, once in a process. Nothing is fetched: both lie in the library's wheel."""
    # First of all, so that it is loaded without its telemetry.
    import_onnxruntime()
    rapidocr = vendor("rapidocr")
    vendor("cv2").setNumThreads(THREADS)
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": MIN_CONFIDENCE,
            # The page was rendered within bounds already.
            "Global.use_preprocess_img": False,
            "Global.use_cls": False,
            # A path given, the library neither looks for updates nor makes folders.
            "Det.model_path": str(_model(models, "det")),
            "Rec.model_path": str(_model(models, "rec")),
            "Det.limit_type": "max",
            "Det.limit_side_len": DETECTION_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _model(folder: Path, task: str) -> Path:
    models = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not models:
        raise ImportError(f"rapidocr came without the model {task!r} in {folder.name!r}")
    return models[0]
