"""Shapes of a slide in the order that a reader takes: cut at the widest gap, again and again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_SLACK = 91_440
"""Shapes that overlap by less than this (a tenth of an inch) stand beside or below one another."""
_ALIKE = 0.25
"""Boxes whose heights differ by less than this share can be the cells of one table."""
_ALIGNED = 4_572
"""Boxes of one row that were aligned differ by less than this; those of two columns seldom do."""
_WIDE = 0.5
"""A gap of less than this share of the widest one waits until the wider ones are cut."""
_MAX_CUT = 400
"""Of more shapes than this, each is taken from top to bottom."""


@dataclass(frozen=True, slots=True)
class _Box:
    shape: Any
    left: int
    top: int
    right: int
    bottom: int


def in_reading_order(shapes: Sequence[Any]) -> list[Any]:
    """Columns one after the other, rows of a grid of boxes row by row, the rest downwards."""
    boxes = [_box(shape) for shape in shapes]
    boxes.sort(key=lambda box: (box.top, box.left))
    if len(boxes) > _MAX_CUT:
        return [box.shape for box in boxes]
    return [box.shape for box in _ordered(boxes)]


def _box(shape: Any) -> _Box:
    left, top = shape.left or 0, shape.top or 0
    return _Box(shape, left, top, left + (shape.width or 0), top + (shape.height or 0))


def _ordered(boxes: list[_Box]) -> Iterator[_Box]:
    if len(boxes) < 2:
        yield from boxes
        return
    rows, below = _cut(boxes, [(box.top, box.bottom) for box in boxes])
    columns, beside = _cut(boxes, [(box.left, box.right) for box in boxes])
    if _is_grid(rows):
        parts = rows
    elif below and max(below) >= max(beside, default=max(below)):
        parts = _joined(rows, below)
    elif beside:
        parts = _joined(columns, beside)
    else:
        # They overlap both ways: what begins in one line is read from left to right.
        yield from sorted(boxes, key=lambda box: (round(box.top / _SLACK), box.left))
        return
    for part in parts:
        yield from _ordered(part)


def _cut(
    boxes: Sequence[_Box], spans: Sequence[tuple[int, int]]
) -> tuple[list[list[_Box]], list[int]]:
    """Groups of boxes that a line can be drawn between, and the width of each gap."""
    placed = sorted(zip(spans, range(len(boxes)), strict=True))
    (first, end), index = placed[0]
    groups, gaps = [[index]], list[int]()
    for (start, stop), index in placed[1:]:
        if start >= end - _SLACK and start > first:
            gaps.append(start - end)
            groups.append([index])
        else:
            groups[-1].append(index)
        end = max(end, stop)
    return [[boxes[index] for index in sorted(group)] for group in groups], gaps


def _joined(groups: Sequence[list[_Box]], gaps: Sequence[int]) -> list[list[_Box]]:
    """Groups with the narrow gaps between them closed."""
    widest = max(gaps)
    joined = [list(groups[0])]
    for group, gap in zip(groups[1:], gaps, strict=True):
        if widest > 0 and gap < widest * _WIDE:
            joined[-1] += group
        else:
            joined.append(list(group))
    return [sorted(group, key=lambda box: (box.top, box.left)) for group in joined]


def _is_grid(rows: Sequence[Sequence[_Box]]) -> bool:
    """Whether rows are those of a table made of boxes: as many in each, aligned, of one height."""
    if len({len(row) for row in rows}) != 1 or len(rows) < 2 or len(rows[0]) < 2:
        return False
    heights = [box.bottom - box.top for row in rows for box in row]
    if max(heights) * (1 - _ALIKE) > min(heights):
        return False
    if any(max(box.top for box in row) - min(box.top for box in row) > _ALIGNED for row in rows):
        return False
    columns = [sorted(row, key=lambda box: box.left) for row in rows]
    return all(
        abs(one.left - other.left) <= 2 * _SLACK
        for first, second in pairwise(columns)
        for one, other in zip(first, second, strict=True)
    )
