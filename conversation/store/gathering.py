"""Rows of several tables about the same thing, in one statement."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, cast, literal, null, union_all
from sqlalchemy.engine import Connection, Row

GatheredRows = dict[str, list[Any]]


def gather(connection: Connection, queries: Mapping[str, Select[Any]]) -> GatheredRows:
    """The rows of each query by its name, each with its columns as attributes.

    One way to the database and back, where a list of queries takes one each: on another machine
    that is most of what a page costs. Meant for few rows, since each of them is as wide as all
    queries together. In no order: no engine orders the parts of a union.
    """
    columns = [
        (name, column) for name, query in queries.items() for column in query.selected_columns
    ]
    parts = [
        query.with_only_columns(
            literal(name),
            *(
                (column if of == name else cast(null(), column.type)).label(f"{of}_{column.key}")
                for of, column in columns
            ),
        )
        for name, query in queries.items()
    ]
    places = {
        name: [(place, str(c.key)) for place, (of, c) in enumerate(columns, 1) if of == name]
        for name in queries
    }
    found: GatheredRows = {name: [] for name in queries}
    rows: Sequence[Row[Any]] = connection.execute(union_all(*parts)).all()
    for row in rows:
        name = str(row[0])
        found[name].append(SimpleNamespace(**{key: row[place] for place, key in places[name]}))
    return found
