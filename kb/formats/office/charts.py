"""Charts of slides and of Word: the values they are drawn from, in the form that they show."""

from collections.abc import Iterator
from typing import Any

from kb.formats.pages.html_text import tag_of
from kb.formats.sheets.number_format import GENERAL, show_number
from kb.formats.tables.grid import Cell
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import TextBuilder, one_line

_MAX_POINTS = 100_000
_NO_VALUES = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "#NUM!"})


def add_chart(builder: TextBuilder, chart: Any) -> None:
    """Append the title of a chart, and a table of each group of its series.

    A series over categories is a column. Each point of a series over figures (a scatter or bubble
    chart) is a row. Points without a value, or with an error of the spreadsheet, stay blank.

    Args:
        builder: Where to.
        chart: The root of its part, a `c:chartSpace`.
    """
    title = next((part for part in chart.iter() if tag_of(part) == "title"), None)
    if title is not None and tag_of(title.getparent()) == "chart":
        words = (part.text or "" for part in title.iter() if tag_of(part) in ("t", "v"))
        builder.add("paragraph", one_line("".join(words)))
    axes = [part for part in chart.iter() if tag_of(part) == "valax"]
    for plot in chart.iter():
        series = [part for part in plot if tag_of(part) == "ser"]
        if any(_child(one, "xval") is not None for one in series):
            add_table(builder, _point_rows(series), header=True)
        elif series:
            add_table(builder, _category_rows(series, _axis_code(plot, axes)), header=True)


def _category_rows(series: list[Any], axis_code: str) -> Iterator[list[Cell | str]]:
    columns = [_points(_child(one, "val"), _label_code(one), axis_code) for one in series]
    no_names: list[dict[int, str]] = [{}]
    names = next((found for one in series if (found := _levels(_child(one, "cat")))), no_names)
    yield [*("" for _ in names), *(_name(one) for one in series)]
    points = sorted({index for column in [*columns, *names] for index in column})
    for index in points[:_MAX_POINTS]:
        labels = [level.get(index, "") for level in names]
        if not any(labels):
            labels[-1] = str(index + 1)
        yield [*labels, *(column.get(index, "") for column in columns)]


def _point_rows(series: list[Any]) -> Iterator[list[Cell | str]]:
    sized = any(_child(one, "bubblesize") is not None for one in series)
    yield ["Series", "X", "Y", *(["Size"] if sized else [])]
    for one in series:
        parts = [_points(_child(one, tag)) for tag in ("xval", "yval", "bubblesize")]
        for index in sorted(set(parts[0]) | set(parts[1]))[:_MAX_POINTS]:
            values = [part.get(index, "") for part in parts]
            yield [_name(one), *(values if sized else values[:2])]


def _name(series: Any) -> str:
    return " ".join(_points(_child(series, "tx")).values())


def _levels(categories: Any) -> list[dict[int, str]]:
    """The names of categories, outermost level first; an outer name stands until the next."""
    if categories is None:
        return []
    found = [_values(level) for level in categories.iter() if tag_of(level) == "lvl"]
    if not found:
        points = _points(categories)
        return [points] if points else []
    last = max((index for level in found for index in level), default=-1)
    for level in found[1:]:
        name = ""
        for index in range(min(last, _MAX_POINTS) + 1):
            name = level.setdefault(index, name) or name
    return found[::-1]


def _points(parent: Any, label_code: str = "", axis_code: str = "") -> dict[int, str]:
    return _values(parent, label_code, axis_code) if parent is not None else {}


def _label_code(series: Any) -> str:
    """The format of the labels at a series or at its plot, where they have one of their own."""
    for holder in (series, series.getparent()):
        labels = _child(holder, "dlbls")
        if labels is not None and (code := _own_code(labels)):
            return code
    return ""


def _axis_code(plot: Any, axes: list[Any]) -> str:
    """The format of the axis that the values of a plot stand on."""
    ids = {part.get("val") for part in plot if tag_of(part) == "axid"}
    for axis in axes:
        name = _child(axis, "axid")
        if name is not None and name.get("val") in ids:
            return _own_code(axis)
    return ""


def _own_code(holder: Any) -> str:
    form = _child(holder, "numfmt")
    if form is None or form.get("sourceLinked") in ("1", "true"):
        return ""
    return form.get("formatCode") or ""


def _values(parent: Any, label_code: str = "", axis_code: str = "") -> dict[int, str]:
    found: dict[int, str] = {}
    code = ""
    for point in parent.iter():
        if tag_of(point) == "formatcode":
            code = point.text or ""
        elif tag_of(point) == "pt" and str(point.get("idx", "")).isdecimal():
            value = _child(point, "v")
            text = (value.text or "") if value is not None else ""
            own = label_code or point.get("formatCode") or code
            found[int(point.get("idx"))] = _formed(text, own, axis_code)
        elif tag_of(point) == "v" and tag_of(point.getparent()) == "tx":
            found[0] = one_line(point.text or "")
    return found


def _formed(value: str, code: str, axis_code: str) -> str:
    """A value as its label shows it; where an axis shows shares in per cent, it is one, exactly."""
    shown = _shown(value)
    try:
        number = float(shown)
    except ValueError:
        return shown
    if code and code != GENERAL:
        return show_number(shown, code)
    return f"{_shown(repr(number * 100))}%" if "%" in axis_code else shown


def _shown(value: str) -> str:
    """A stored value, without the noise that binary fractions leave in its last digits."""
    value = one_line(value)
    if value in _NO_VALUES:
        return ""
    try:
        number = float(value)
    except ValueError:
        return value
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number)) if not value.isdecimal() else value
    short = f"{number:.15g}"
    return short if "e" not in short else value


def _child(parent: Any, tag: str) -> Any:
    return next((part for part in parent if tag_of(part) == tag), None)
