"""JSON: records as tables, objects as named values, notebooks as what they show."""

import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any, cast

from kb.document import ParsedDocument
from kb.formats.data.marked_up import is_html, unescaped
from kb.formats.data.plain_structure import parse_text
from kb.formats.decoding import decode
from kb.formats.pages.markdown import add_markdown
from kb.formats.pages.markdown_html import add_html
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, malformed, one_line

MAX_DEPTH = 100
_MAX_HEADING_LEVEL = 6

_TITLES = ("title", "name", "subject", "question")
Scalar = str | int | float | bool | None


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read JSON, JSON Lines or a Jupyter notebook."""
    source = decode(data, stated=request.charset)
    builder = TextBuilder(request)
    value = _load(source, request.name, builder)
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "nbformat" in fields and "cells" in fields:
        _add_notebook(builder, fields)
        return builder.build()
    _add_value(builder, cast(object, value), level=1)
    return builder.build(title=_title(fields) or request.name)


def _load(source: str, name: str, builder: TextBuilder) -> object:
    try:
        return json.loads(source)
    except RecursionError as error:
        raise malformed(name, "JSON file", f"nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        records, broken = _records(source)
        if not records or broken > len(records):
            raise malformed(name, "JSON file", error) from error
        builder.leave_out("broken line", broken)
        return records


def _records(source: str) -> tuple[list[object], int]:
    """What the lines hold that are JSON by themselves, and how many others there are."""
    records: list[object] = []
    broken = 0
    # Other signs that end lines elsewhere, such as U+2028, may stand in a string as they are.
    for line in filter(str.strip, StringIO(source, newline=None)):
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            broken += 1
    is_whole = not broken or all(isinstance(each, dict | list) for each in records)
    return (records, broken) if is_whole else ([], broken)


def _add_value(builder: TextBuilder, value: object, *, level: int) -> None:
    if level > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        _add_object(builder, cast("dict[str, object]", value), level=level)
    elif isinstance(value, list):
        _add_array(builder, cast("list[object]", value), level=level)
    elif _is_page(value):
        add_html(builder, unescaped(str(value)))
    elif _is_text(value):
        _add_text(builder, str(value))
    else:
        builder.add("paragraph", _shown(cast(Scalar, value)))


def _add_object(builder: TextBuilder, value: dict[str, object], *, level: int) -> None:
    """Plain values first, as lines under the heading they belong to; then what is nested.

    A value that is HTML, as exports of help desks hold, is read as a page is; what holds it stands
    under its own title.
    """
    heading = min(level, _MAX_HEADING_LEVEL)
    pages = [key for key, inner in value.items() if _is_page(inner) or _is_text(inner)]
    title = _title(value) if pages else None
    if title:
        builder.add("heading", title, level=heading)
        heading = min(heading + 1, _MAX_HEADING_LEVEL)
    builder.add("paragraph", "\n".join(_lines(value)))
    for key, inner in value.items():
        if key in pages:
            if len(pages) > 1 or not title:
                builder.add("heading", key, level=heading)
            _add_body(builder, inner, deeper=heading)
        elif _is_nested(inner):
            builder.add("heading", key, level=heading)
            _add_value(builder, inner, level=level + 1)


def _add_body(builder: TextBuilder, value: object, *, deeper: int) -> None:
    if _is_page(value):
        add_html(builder, unescaped(str(value)), deeper=deeper)
    else:
        _add_text(builder, str(value), deeper=deeper)


def _add_text(builder: TextBuilder, text: str, *, deeper: int = 0) -> None:
    """A text of several lines keeps them, and its tables, lists and headings."""
    builder.extend(parse_text(clean(text)[0]), deeper=deeper)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\n" in value.strip()


def _add_array(builder: TextBuilder, values: list[object], *, level: int) -> None:
    if _are_records(values):
        add_table(builder, _as_rows(cast("list[dict[str, Scalar]]", values)), header=True)
    elif _are_rows(values):
        rows = cast("list[list[Scalar]]", values)
        add_table(builder, [[_shown(each) for each in row] for row in rows])
    elif _is_flat_list(values):
        builder.add("list", "\n".join(f"- {_shown(cast(Scalar, value))}" for value in values))
    else:
        for value in values:
            _add_value(builder, value, level=level)


def _lines(value: dict[str, object]) -> Iterable[str]:
    for key, inner in value.items():
        if _is_flat_list(inner):
            yield f"{key}: {', '.join(_shown(each) for each in cast('list[Scalar]', inner))}"
        elif _is_page(inner) or _is_text(inner):
            continue
        elif not isinstance(inner, dict | list) and inner not in (None, ""):
            yield f"{key}: {_shown(cast(Scalar, inner))}"


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and not _is_flat_list(value))  # pyright: ignore[reportUnknownArgumentType]


def _is_flat_list(value: object) -> bool:
    return isinstance(value, list) and not any(map(_is_no_cell, cast("list[object]", value)))


def _are_records(values: list[object]) -> bool:
    return len(values) > 1 and all(
        isinstance(value, dict)
        and not any(map(_is_no_cell, cast("dict[str, object]", value).values()))
        for value in values
    )


def _are_rows(values: list[object]) -> bool:
    """Whether each of several values is a row of as many cells."""
    lengths = {len(cast("list[object]", row)) if _is_flat_list(row) else 0 for row in values}
    return len(values) > 1 and len(lengths) == 1 and lengths.pop() > 1


def _is_no_cell(value: object) -> bool:
    return isinstance(value, dict | list) or _is_page(value) or _is_text(value)


def _is_page(value: object) -> bool:
    return isinstance(value, str) and is_html(unescaped(value))


def _as_rows(records: Sequence[dict[str, Scalar]]) -> list[list[str]]:
    names = list(dict.fromkeys(name for record in records for name in record))
    return [names, *([_shown(record.get(name)) for name in names] for record in records)]


def _shown(value: Scalar) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _title(fields: dict[str, Any]) -> str | None:
    found = next((fields[key] for key in _TITLES if fields.get(key)), None)
    return one_line(found) if isinstance(found, str) else None


def _add_notebook(builder: TextBuilder, notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        text = _joined(cell.get("source", ""))
        if cell.get("cell_type") == "markdown":
            add_markdown(builder, text)
        else:
            builder.add("code", text)
            for output in cell.get("outputs") or ():
                _add_output(builder, output)


def _add_output(builder: TextBuilder, output: dict[str, Any]) -> None:
    """What a cell of a notebook printed; pictures and what only a program shows are counted."""
    data: dict[str, Any] = output.get("data") or {}
    plain = _joined(output.get("text") or data.get("text/plain") or "")
    if "text/html" in data:
        add_html(builder, _joined(data["text/html"]))
    elif plain and not any(kind.startswith("image/") for kind in data):
        builder.add("code", plain)
    else:
        builder.leave_out("output")


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
