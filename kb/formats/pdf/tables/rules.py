"""Straight lines drawn on a page, which are what rules off a table."""

import ctypes
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kb.formats.pdf.objects import Drawn
from kb.formats.vendors import vendor

MAX_THICKNESS = 3.0
"""In points; what is thicker is a bar or a box."""
MIN_LENGTH = 4.0
MAX_SEGMENTS = 20_000
"""Of a page: a drawing of more is no table."""
SNAP = 2.0
"""Rules nearer than this, in points, are one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal or vertical line at `at`, from `start` to `end` along the other axis."""

    at: float
    start: float
    end: float

    def covers(self, place: float) -> bool:
        """Whether it passes the place."""
        return self.start - SNAP <= place <= self.end + SNAP


@dataclass(slots=True)
class Rules:
    """The rules of a page."""

    horizontal: list[Rule] = field(default_factory=list[Rule])
    vertical: list[Rule] = field(default_factory=list[Rule])

    def may_enclose(self) -> bool:
        """Whether there are enough of them for cells."""
        return len(self.horizontal) > 1 and len(self.vertical) > 1

    def add_edges(self, left: float, bottom: float, right: float, top: float) -> None:
        """Add a thin box as one rule, or the four sides of another."""
        if top - bottom <= MAX_THICKNESS:
            self.horizontal.append(Rule((top + bottom) / 2, left, right))
        elif right - left <= MAX_THICKNESS:
            self.vertical.append(Rule((left + right) / 2, bottom, top))
        else:
            self.horizontal += [Rule(bottom, left, right), Rule(top, left, right)]
            self.vertical += [Rule(left, bottom, top), Rule(right, bottom, top)]


def rules_of(drawn: list[Drawn]) -> Rules:
    """The straight lines among what is drawn, pieces of one line joined."""
    raw = vendor("pypdfium2.raw")
    rules = Rules()
    left = MAX_SEGMENTS
    for shape in drawn:
        if shape.kind != raw.FPDF_PAGEOBJ_PATH:
            continue
        left -= max(raw.FPDFPath_CountSegments(shape.handle), 0)
        if left < 0:
            return Rules()
        _add_path(raw, shape, rules)
    return Rules(_merged(rules.horizontal), _merged(rules.vertical))


def _add_path(raw: Any, shape: Drawn, rules: Rules) -> None:
    mode, stroked = ctypes.c_int(), raw.FPDF_BOOL()
    raw.FPDFPath_GetDrawMode(shape.handle, ctypes.byref(mode), ctypes.byref(stroked))
    if not stroked.value and not mode.value:
        return
    for points in _subpaths(raw, shape):
        xs, ys = [x for x, _ in points], [y for _, y in points]
        box = (min(xs), min(ys), max(xs), max(ys))
        is_thin = min(box[2] - box[0], box[3] - box[1]) <= MAX_THICKNESS
        if is_thin:
            rules.add_edges(*box)
        elif stroked.value:
            _add_sides(points, rules)


def _add_sides(points: list[tuple[float, float]], rules: Rules) -> None:
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], points[0]], strict=True):
        if abs(y1 - y2) < 1:
            rules.horizontal.append(Rule(y1, min(x1, x2), max(x1, x2)))
        elif abs(x1 - x2) < 1:
            rules.vertical.append(Rule(x1, min(y1, y2), max(y1, y2)))


def _subpaths(raw: Any, shape: Drawn) -> Iterator[list[tuple[float, float]]]:
    """The corners of each part of a path; one with curves has none that count."""
    points: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(raw.FPDFPath_CountSegments(shape.handle)):
        segment = raw.FPDFPath_GetPathSegment(shape.handle, index)
        kind = raw.FPDFPathSegment_GetType(segment)
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        if kind == raw.FPDF_SEGMENT_MOVETO and points:
            yield points
            points = []
        points.append(shape.on_page(x.value, y.value))
    if points:
        yield points


def _merged(rules: list[Rule]) -> list[Rule]:
    """Join pieces of one line, and lines drawn twice."""
    rows: dict[int, list[Rule]] = defaultdict(list)
    levels: list[float] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if not levels or rule.at - levels[-1] > SNAP:
            levels.append(rule.at)
        rows[len(levels) - 1].append(rule)
    merged: list[Rule] = []
    for number, row in rows.items():
        start = end = None
        for rule in sorted(row, key=lambda rule: rule.start):
            if start is None or end is None or rule.start > end + SNAP:
                if start is not None and end is not None and end - start >= MIN_LENGTH:
                    merged.append(Rule(levels[number], start, end))
                start, end = rule.start, rule.end
            else:
                end = max(end, rule.end)
        if start is not None and end is not None and end - start >= MIN_LENGTH:
            merged.append(Rule(levels[number], start, end))
    return merged
