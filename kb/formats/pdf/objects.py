"""What is drawn on a page, in the order it is drawn, out of forms within forms."""

import ctypes
from dataclasses import dataclass
from typing import Any

from kb.formats.vendors import vendor

MAX_OBJECTS = 50_000
"""Of a page; what is drawn after as many is not looked at."""
MAX_DEPTH = 8

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""
Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An object of a page, and how its measures become those of the page."""

    handle: Any
    kind: int
    matrix: Matrix

    def on_page(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the object lies on the page."""
        matrix = self.matrix
        if self.kind == vendor("pypdfium2.raw").FPDF_PAGEOBJ_PATH:
            matrix = _product(_own_matrix(self.handle), matrix)
        a, b, c, d, e, f = matrix
        return a * x + c * y + e, b * x + d * y + f

    def box(self) -> Box | None:
        """The box around it on the page; None when it has none."""
        raw = vendor("pypdfium2.raw")
        sides = [ctypes.c_float() for _ in range(4)]
        if not raw.FPDFPageObj_GetBounds(self.handle, *map(ctypes.byref, sides)):
            return None
        left, bottom, right, top = (side.value for side in sides)
        a, b, c, d, e, f = self.matrix
        corners = [
            (a * x + c * y + e, b * x + d * y + f) for x in (left, right) for y in (bottom, top)
        ]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)


def drawn_on(page: Any) -> list[Drawn]:
    """Everything drawn on an open page of pypdfium2, back to front."""
    raw = vendor("pypdfium2.raw")
    found: list[Drawn] = []
    count = raw.FPDFPage_CountObjects(page.raw)
    for index in range(min(count, MAX_OBJECTS)):
        _collect(raw, raw.FPDFPage_GetObject(page.raw, index), _IDENTITY, 0, found)
    return found


def _collect(raw: Any, handle: Any, matrix: Matrix, depth: int, found: list[Drawn]) -> None:
    kind = raw.FPDFPageObj_GetType(handle)
    if kind != raw.FPDF_PAGEOBJ_FORM:
        found.append(Drawn(handle, kind, matrix))
        return
    if depth >= MAX_DEPTH:
        return
    inner = _product(_own_matrix(handle), matrix)
    for index in range(raw.FPDFFormObj_CountObjects(handle)):
        if len(found) >= MAX_OBJECTS:
            return
        _collect(raw, raw.FPDFFormObj_GetObject(handle, index), inner, depth + 1, found)


def _own_matrix(handle: Any) -> Matrix:
    raw = vendor("pypdfium2.raw")
    own = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(handle, ctypes.byref(own)):
        return _IDENTITY
    return own.a, own.b, own.c, own.d, own.e, own.f


def _product(inner: Matrix, outer: Matrix) -> Matrix:
    """First `inner`, then `outer`."""
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )
