"""Line charts as SVG files, without a library. Both axes grow by powers of ten."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 40, 48
_COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#475569")
Points = Sequence[tuple[float, float]]


def line_chart(
    title: str, lines: Mapping[str, Points], *, x_label: str, y_label: str, limit: float | None
) -> str:
    """A chart of positive values; `limit` is drawn as a dashed line across.

    Raises:
        ValueError: There is no point, or one is not above 0.
    """
    points = [point for line in lines.values() for point in line]
    if not points or min(value for point in points for value in point) <= 0:
        raise ValueError(f"{title!r} has no points, or some at or below 0, on powers of ten.")
    x_low, x_high = _decades([x for x, _ in points])
    y_low, y_high = _decades([y for _, y in points] + ([limit] if limit else []))

    def across(x: float) -> float:
        share = (math.log10(x) - x_low) / (x_high - x_low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def up(y: float) -> float:
        share = (math.log10(y) - y_low) / (y_high - y_low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, x_label, anchor="middle"),
        f'<text transform="translate(16 {_HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>",
    ]
    for power in range(x_low, x_high + 1):
        x = across(10**power)
        parts.append(_rule(x, _TOP, x, _HEIGHT - _BOTTOM))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 18, f"{10**power:,}", anchor="middle"))
    for power in range(y_low, y_high + 1):
        y = up(10.0**power)
        parts.append(_rule(_LEFT, y, _WIDTH - _RIGHT, y))
        parts.append(_text(_LEFT - 6, y + 4, f"{10.0**power:,g}", anchor="end"))
    if limit:
        y = up(limit)
        parts.append(
            _rule(_LEFT, y, _WIDTH - _RIGHT, y, look='stroke="#dc2626" stroke-dasharray="5 4"')
        )
        parts.append(_text(_WIDTH - _RIGHT + 6, y + 4, f"target {limit:g}"))
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        way = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}">'
            f"<title>{escape(name)}: {y:,.3g} at {x:,.0f}</title></circle>"
            for x, y in line
        ]
        at = _TOP + 14 + 18 * number
        parts.append(
            _rule(
                _WIDTH - _RIGHT + 8,
                at,
                _WIDTH - _RIGHT + 26,
                at,
                look=f'stroke="{colour}" stroke-width="2"',
            )
        )
        parts.append(_text(_WIDTH - _RIGHT + 30, at + 4, name))
    return "\n".join([*parts, "</svg>", ""])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Powers of ten around the values, at least one apart."""
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def _rule(x1: float, y1: float, x2: float, y2: float, *, look: str = 'stroke="#e2e8f0"') -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {look}/>'


def _text(x: float, y: float, said: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
