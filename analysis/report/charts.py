"""Small charts as inline SVG. Colours are CSS variables, so that they follow light and dark."""

from collections.abc import Callable, Sequence
from datetime import date
from html import escape

_WIDTH = 320
_ROW_HEIGHT = 22
_MOST_NAMED_BARS = 11


def interval_bar(rate: float | None, low: float | None, high: float | None) -> str:
    """Return a bar from 0 to 100 % with its interval as a whisker."""
    if rate is None or low is None or high is None:
        return '<span class="none">no verdict</span>'
    label = f"{100 * rate:.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %"
    return _whisker_bar(rate, (low, high), label)


def score_bar(
    mean: float, interval: tuple[float, float] | None, *, bounds: tuple[float, float]
) -> str:
    """Return a bar from the lowest to the highest score, with the interval of the mean, if any."""
    ends = "" if interval is None else f", 95 % interval {interval[0]:.2f} to {interval[1]:.2f}"
    label = f"{mean:.2f} on a scale from {bounds[0]:g} to {bounds[1]:g}{ends}"
    whisker = None
    if interval is not None:
        whisker = (share_of(interval[0], bounds), share_of(interval[1], bounds))
    return _whisker_bar(share_of(mean, bounds), whisker, label)


def share_of(value: float, bounds: tuple[float, float]) -> float:
    """Return where a value lies between its bounds, from 0 to 1."""
    return (value - bounds[0]) / (bounds[1] - bounds[0])


def _whisker_bar(share: float, interval: tuple[float, float] | None, label: str) -> str:
    whisker = ""
    if interval is not None:
        left, right = (_WIDTH * value for value in interval)
        whisker = (
            f'<path class="whisker" d="M{left:.1f} 11H{right:.1f}M{left:.1f} 6V16M{right:.1f} '
            '6V16"/>'
        )
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_ROW_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>'
        f'<rect class="track" x="0" y="5" width="{_WIDTH}" height="12" rx="3"/>'
        f'<rect class="fill" x="0" y="5" width="{_WIDTH * share:.1f}" height="12" rx="3"/>'
        f"{whisker}</svg>"
    )


def share_bar(share: float, part: float) -> str:
    """Return a bar of `share`, of which `part` (both 0 to 1) stands out."""
    label = f"{100 * share:.1f} %"
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_ROW_HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<rect class="track" x="0" y="5" width="{_WIDTH}" height="12" rx="3"/>'
        f'<rect class="fill" x="0" y="5" width="{_WIDTH * share:.1f}" height="12" rx="3"/>'
        f'<rect class="bad" x="0" y="5" width="{_WIDTH * share * part:.1f}" height="12" rx="3"/>'
        "</svg>"
    )


def trend_line(
    points: Sequence[tuple[str, float, float, float]],
    *,
    what: str = "success rate",
    show: Callable[[float], str] = lambda rate: f"{100 * rate:.1f} %",
    height: int = 90,
) -> str:
    """Return rates, or other shares of a whole, over days with their intervals as a band.

    Args:
        points: (day, share, low, high), oldest first, at least two.
        what: What the shares are.
        show: A share as people read it.
        height: In pixels of the drawing.
    """
    places = list(zip(_along([point[0] for point in points]), points, strict=True))

    def height_of(value: float) -> float:
        return 4 + (height - 8) * (1 - value)

    def at(x: float, value: float) -> str:
        return f"{x:.1f} {height_of(value):.1f}"

    upper = " ".join(at(x, point[3]) for x, point in places)
    lower = " ".join(at(x, point[2]) for x, point in reversed(places))
    line = " ".join(at(x, point[1]) for x, point in places)
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{height_of(point[1]):.1f}" r="2.5">'
        f"<title>{escape(point[0])}: {escape(show(point[1]))}</title></circle>"
        for x, point in places
    )
    days = (
        f'<text x="4" y="{height + 12}">{escape(points[0][0])}</text>'
        f'<text x="{_WIDTH - 4}" y="{height + 12}" text-anchor="end">{escape(points[-1][0])}</text>'
    )
    label = f"{what} by day from {points[0][0]} to {points[-1][0]}"
    return (
        f'<svg class="chart trend" viewBox="0 0 {_WIDTH} {height + 16}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<path class="axis" d="M4 4H{_WIDTH - 4}M4 {height - 4}H{_WIDTH - 4}"/>'
        f'<polygon class="band" points="{upper} {lower}"/>'
        f'<polyline class="line" points="{line}"/>{dots}{days}</svg>'
    )


def day_bars(days: Sequence[tuple[str, int, int]], *, height: int = 70) -> str:
    """Return a bar for each day, of which a part stands out.

    Args:
        days: (day, count, part of it), oldest first.
        height: In pixels of the drawing.
    """
    most = max((count for _, count, _ in days), default=0) or 1
    step = _WIDTH / max(len(days), 1)
    width = max(1.0, min(step * 0.8, 24.0))
    bars: list[str] = []
    for number, (day, count, part) in enumerate(days):
        x = number * step + (step - width) / 2
        tall, bad = (height * value / most for value in (count, part))
        bars.append(
            f"<g><title>{escape(day)}: {count}, {part} flagged</title>"
            f'<rect class="fill" x="{x:.1f}" y="{height - tall:.1f}" width="{width:.1f}" '
            f'height="{tall:.1f}" rx="1.5"/>'
            f'<rect class="bad" x="{x:.1f}" y="{height - bad:.1f}" width="{width:.1f}" '
            f'height="{bad:.1f}" rx="1.5"/></g>'
        )
    label = f"conversations by day, at most {most}"
    return _framed("".join(bars), [day for day, _, _ in days], label, height=height)


def day_line(points: Sequence[tuple[str, float, str]], *, what: str, height: int = 70) -> str:
    """Return a line over days.

    Args:
        points: (day, value, value as people read it), oldest first.
        what: What the values are, e.g. `cost by day`.
        height: In pixels of the drawing.
    """
    most = max((value for _, value, _ in points), default=0.0) or 1.0
    places = [
        (x, 4 + (height - 8) * (1 - value / most), day, shown)
        for x, (day, value, shown) in zip(
            _along([point[0] for point in points]), points, strict=True
        )
    ]
    line = " ".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in places)
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{escape(day)}: '
        f"{escape(shown)}</title></circle>"
        for x, y, day, shown in places
    )
    top = max(points, key=lambda point: point[1])[2] if points else ""
    label = f"{what}, at most {top}"
    drawn = f'<polyline class="line" points="{line}"/>{dots}'
    return _framed(drawn, [point[0] for point in points], label, height=height)


def _along(days: Sequence[str]) -> list[float]:
    """Where days stand on the axis, which is time: a week without any is seven days wide."""
    found = [date.fromisoformat(day).toordinal() for day in days]
    spread = max(found) - min(found) if found else 0
    return [4 + (_WIDTH - 8) * (day - found[0]) / max(spread, 1) for day in found]


def score_bars(bins: Sequence[tuple[float, float, int]], *, what: str, height: int = 70) -> str:
    """Return how often each score was given.

    Args:
        bins: (lowest, highest, count), lowest first; of one whole number the two are equal.
        what: What was counted.
        height: In pixels of the drawing.
    """
    most = max((count for _, _, count in bins), default=0) or 1
    step = _WIDTH / max(len(bins), 1)
    width = min(step * 0.8, 40.0)
    bars: list[str] = []
    for number, (low, high, count) in enumerate(bins):
        x, tall = number * step + (step - width) / 2, height * count / most
        score = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        bars.append(
            f"<g><title>{score}: {count}</title>"
            f'<rect class="fill" x="{x:.1f}" y="{height - tall:.1f}" width="{width:.1f}" '
            f'height="{tall:.1f}" rx="1.5"/></g>'
        )
    if len(bins) <= _MOST_NAMED_BARS and all(low == high for low, high, _ in bins):
        bars += [
            f'<text x="{(number + 0.5) * step:.1f}" y="{height + 12}" text-anchor="middle">'
            f"{low:g}</text>"
            for number, (low, _, _) in enumerate(bins)
        ]
        ends: list[str] = []
    else:
        ends = [f"{bins[0][0]:g}", f"{bins[-1][1]:g}"]
    return _framed("".join(bars), ends, f"{what}, at most {most}", height=height)


def spark_bars(counts: Sequence[int], *, label: str) -> str:
    """Return small bars without a frame, oldest first."""
    most = max(counts, default=0) or 1
    bars = "".join(
        f'<rect class="fill" x="{number * 7}" y="{20 - 20 * count / most:.1f}" width="5" '
        f'height="{20 * count / most:.1f}" rx="1"/>'
        for number, count in enumerate(counts)
    )
    width = max(7, 7 * len(counts))
    bars += f'<path class="axis" d="M0 20.5H{width}"/>'
    return (
        f'<svg class="spark" viewBox="0 0 {width} 21" width="{width}" height="21" role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>{bars}</svg>'
    )


def _framed(drawn: str, names: Sequence[str], label: str, *, height: int) -> str:
    """Put a base line and the first and last name, such as a day, under a drawing."""
    ends = ""
    if names:
        ends = f'<text x="4" y="{height + 12}">{escape(names[0])}</text>'
    if len(names) > 1:
        x = _WIDTH - 4
        ends += f'<text x="{x}" y="{height + 12}" text-anchor="end">{escape(names[-1])}</text>'
    return (
        f"<figure><figcaption>{escape(label)}</figcaption>"
        f'<svg class="chart trend" viewBox="0 0 {_WIDTH} {height + 16}" role="img" '
        f'aria-label="{escape(label)}"><path class="axis" d="M0 {height}H{_WIDTH}"/>'
        f"{drawn}{ends}</svg></figure>"
    )
