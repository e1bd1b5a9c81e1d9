"""JSON: records as tables, objects as named values, notebooks as what they show."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

from kb.document import ParsedDocument
from kb.formats.data.marked_up import is_html, unescaped
from kb.formats.decoding import decode
from kb.formats.pages.markdown import add_markdown
from kb.formats.pages.markdown_html import add_html
from kb.formats.tables.rendering import add_table
from kb.formats.text_builder import ParseRequest, TextBuilder, malformed, one_line

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
    for line in filter(str.strip, source.splitlines()):
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
    else:
        builder.add("paragraph", _shown(cast(Scalar, value)))


def _add_object(builder: TextBuilder, value: dict[str, object], *, level: int) -> None:
    """Plain values first, as lines under the heading they belong to; then what is nested.

    A value that is HTML, as exports of help desks hold, is read as a page is; what holds it stands
    under its own title.
    """
    heading = min(level, _MAX_HEADING_LEVEL)
    pages = [key for key, inner in value.items() if _is_page(inner)]
    title = _title(value) if pages else None
    if title:
        builder.add("heading", title, level=heading)
        heading = min(heading + 1, _MAX_HEADING_LEVEL)
    builder.add("paragraph", "\n".join(_lines(value)))
    for key, inner in value.items():
        if key in pages:
            if len(pages) > 1 or not title:
                builder.add("heading", key, level=heading)
            add_html(builder, unescaped(str(inner)), deeper=heading)
        elif _is_nested(inner):
            builder.add("heading", key, level=heading)
            _add_value(builder, inner, level=level + 1)


def _add_array(builder: TextBuilder, values: list[object], *, level: int) -> None:
    if _are_records(values):
        add_table(builder, _as_rows(cast("list[dict[str, Scalar]]", values)), header=True)
    elif _is_flat_list(values):
        builder.add("list", "\n".join(f"- {_shown(cast(Scalar, value))}" for value in values))
    else:
        for value in values:
            _add_value(builder, value, level=level)


def _lines(value: dict[str, object]) -> Iterable[str]:
    for key, inner in value.items():
        if _is_flat_list(inner):
            yield f"{key}: {', '.join(_shown(each) for each in cast('list[Scalar]', inner))}"
        elif _is_page(inner):
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


def _is_no_cell(value: object) -> bool:
    return isinstance(value, dict | list) or (_is_page(value))


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
        source = cell.get("source", "")
        text = source if isinstance(source, str) else "".join(source)
        if cell.get("cell_type") == "markdown":
            add_markdown(builder, text)
        elif cell.get("cell_type") == "code":
            builder.add("code", text)
