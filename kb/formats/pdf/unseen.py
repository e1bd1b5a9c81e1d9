"""Text of a page that nobody sees: where planted instructions stand."""

import ctypes
from collections.abc import Sequence
from typing import Any

from kb.formats.pdf.objects import Box, Drawn
from kb.formats.vendors import vendor

MIN_ALPHA = 13
"""Of 255. What is more transparent cannot be read."""
MIN_CONTRAST = 16
"""Of 255, in any of red, green and blue, between text and what lies below it."""
MIN_BOX_SIDE = 3.0
"""In points; what is narrower is a rule, not a background."""
MAX_COVER_SHARE = 0.5
"""Of the page; a picture that covers more of it is a scan, with its text below."""
MAX_CLIPS = 20
MAX_BOXES = 2_000
"""Of a page; a drawing of more is not compared with the text."""

_INVISIBLE_MODES = (3, 7)
_STROKED_MODES = (1, 5)
_WHITE = (255, 255, 255)

Colour = tuple[int, int, int]


class _Shape:
    """A filled box or a picture, with its place in the order of drawing."""

    def __init__(
        self, order: int, box: Box, colour: Colour | None, *, covers: bool = False
    ) -> None:
        self.order = order
        self.box = box
        self.colour = colour
        """None where it is not one colour throughout: a picture, a pattern, what shines through."""
        self.covers = covers or colour is not None
        """Whether nothing that lies below it is seen."""


def unseen_objects(drawn: Sequence[Drawn], page: Box) -> frozenset[int]:
    """Addresses of the text objects that a reader of the page does not see.

    They lie off the page or below a box, are transparent, of the colour of what is below them, or
    set to be invisible. The last is how recognised text lies over a scan, and over a picture stays.
    """
    raw = vendor("pypdfium2.raw")
    shapes, pictures = _backgrounds(raw, drawn, page)
    found: set[int] = set()
    for order, shape in enumerate(drawn):
        if shape.kind != raw.FPDF_PAGEOBJ_TEXT:
            continue
        box = shape.box()
        if box is not None and _is_unseen(raw, shape, order, box, page, shapes, pictures):
            found.add(address(shape.handle))
    return frozenset(found)


def address(handle: Any) -> int:
    """What tells one object of pdfium from another."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0


def without_unseen(
    text_page: Any, placed: Sequence[tuple[str, int]], unseen: frozenset[int]
) -> tuple[list[tuple[str, int]], list[str]]:
    """Blank the characters of lines that belong to unseen objects; returns these apart."""
    raw = vendor("pypdfium2.raw")
    shown: list[tuple[str, int]] = []
    dropped: list[str] = []
    for line, position in placed:
        text = line.strip()
        at = position
        kept: list[str] = []
        hidden: list[str] = []
        for char in text:
            is_hidden = address(raw.FPDFText_GetTextObject(text_page, at)) in unseen
            kept.append(" " if is_hidden else char)
            hidden.append(char if is_hidden or char.isspace() else "")
            at += 2 if ord(char) > 0xFFFF else 1
        if "".join(hidden).strip():
            dropped.append("".join(hidden))
            text = "".join(kept)
        if text.strip():
            shown.append((text.strip(), position + len(text) - len(text.lstrip())))
    return shown, dropped


def _is_unseen(
    raw: Any,
    text: Drawn,
    order: int,
    box: Box,
    page: Box,
    shapes: Sequence[_Shape],
    pictures: Sequence[Box],
) -> bool:
    mode = raw.FPDFTextObj_GetTextRenderMode(text.handle)
    clip = _clip(raw, text)
    if not _overlap(box, page) or (clip is not None and not _overlap(box, clip)):
        return True
    if mode in _INVISIBLE_MODES:
        return not any(_overlap(box, picture) for picture in pictures)
    colour, alpha = _colour(raw, text, stroked=mode in _STROKED_MODES)
    if alpha is not None and alpha < MIN_ALPHA:
        return True
    around = [shape for shape in shapes if _contains(shape.box, box)]
    if any(shape.order > order and shape.covers for shape in around):
        return True
    if colour is None or mode not in (0, 4, *_STROKED_MODES):
        return False
    below = max((s for s in around if s.order < order), key=lambda s: s.order, default=None)
    behind = _WHITE if below is None else below.colour
    if below is None and any(_overlap(s.box, box) for s in shapes if s.order < order):
        return False  # Partly on something else.
    return behind is not None and _is_alike(colour, behind)


def _backgrounds(raw: Any, drawn: Sequence[Drawn], page: Box) -> tuple[list[_Shape], list[Box]]:
    """Filled boxes and pictures in the order of drawing, and the boxes of the pictures alone."""
    shapes: list[_Shape] = []
    pictures: list[Box] = []
    for order, shape in enumerate(drawn):
        if shape.kind == raw.FPDF_PAGEOBJ_TEXT or len(shapes) >= MAX_BOXES:
            continue
        box = shape.box()
        if box is None or min(box[2] - box[0], box[3] - box[1]) < MIN_BOX_SIDE:
            continue
        if shape.kind != raw.FPDF_PAGEOBJ_PATH:
            pictures.append(box)
            shapes.append(_Shape(order, box, None, covers=_covers(raw, shape, box, page)))
        elif _is_filled(raw, shape):
            shapes.append(_Shape(order, box, _cover_colour(raw, shape)))
    return shapes, pictures


def _covers(raw: Any, picture: Drawn, box: Box, page: Box) -> bool:
    """Whether a picture lies over text to hide it: one of the page is a scan of the text."""
    is_picture = picture.kind == raw.FPDF_PAGEOBJ_IMAGE
    if not is_picture or raw.FPDFPageObj_HasTransparency(picture.handle):
        return False
    return _area(box) <= MAX_COVER_SHARE * _area(page)


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _clip(raw: Any, shape: Drawn) -> Box | None:
    """The box around what is left of an object by the paths that clip it."""
    path = raw.FPDFPageObj_GetClipPath(shape.handle)
    count = raw.FPDFClipPath_CountPaths(path) if path else 0
    boxes = [_corners(raw, path, at, shape) for at in range(max(min(count, MAX_CLIPS), 0))]
    seen = [box for box in boxes if box]
    if not seen:
        return None
    left, bottom, right, top = zip(*seen, strict=True)
    return max(left), max(bottom), min(right), min(top)


def _corners(raw: Any, path: Any, number: int, shape: Drawn) -> Box | None:
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[float, float]] = []
    for at in range(max(raw.FPDFClipPath_CountPathSegments(path, number), 0)):
        segment = raw.FPDFClipPath_GetPathSegment(path, number, at)
        if raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y)):
            points.append(shape.on_page(x.value, y.value))
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _is_filled(raw: Any, shape: Drawn) -> bool:
    mode, stroked = ctypes.c_int(), raw.FPDF_BOOL()
    raw.FPDFPath_GetDrawMode(shape.handle, ctypes.byref(mode), ctypes.byref(stroked))
    return mode.value != 0


def _cover_colour(raw: Any, shape: Drawn) -> Colour | None:
    """The colour of a plain box; None for other shapes, and for what shines through."""
    colour, alpha = _colour(raw, shape)
    is_plain = raw.FPDFPath_CountSegments(shape.handle) <= 6 and not any(
        raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(shape.handle, at))
        == raw.FPDF_SEGMENT_BEZIERTO
        for at in range(raw.FPDFPath_CountSegments(shape.handle))
    )
    if not is_plain or alpha is None or alpha < 255 - MIN_ALPHA:
        return None
    return None if raw.FPDFPageObj_HasTransparency(shape.handle) else colour


def _colour(raw: Any, shape: Drawn, *, stroked: bool = False) -> tuple[Colour | None, int | None]:
    parts = [ctypes.c_uint() for _ in range(4)]
    read = raw.FPDFPageObj_GetStrokeColor if stroked else raw.FPDFPageObj_GetFillColor
    if not read(shape.handle, *map(ctypes.byref, parts)):
        return None, None
    red, green, blue, alpha = (part.value for part in parts)
    return (red, green, blue), alpha


def _is_alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) < MIN_CONTRAST for a, b in zip(one, other, strict=True))


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _contains(outer: Box, inner: Box) -> bool:
    """Whether most of the inner box lies within: glyphs reach out of their line by a little."""
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    slack = 0.3 * (inner[3] - inner[1])
    return (
        outer[0] - slack <= inner[0]
        and inner[2] <= outer[2] + slack
        and outer[1] <= y <= outer[3]
        and outer[0] <= x <= outer[2]
    )
