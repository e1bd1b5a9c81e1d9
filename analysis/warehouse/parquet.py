"""Rows -> one Parquet file, written by DuckDB and put in place by a rename."""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import duckdb

from analysis.dictionary.schema import Column, Table, literal, quoted

QUIET: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
"""Settings of every DuckDB that is opened here: nothing is downloaded."""
MEMORY_LIMIT = "200MB"
"""Of DuckDB where it writes the reports: what does not fit goes to disk."""
_LEAST_ROW_BYTES = 2**20
"""DuckDB refuses JSON lines longer than it is told, and each of its threads takes twice that."""


class ParquetWriter:
    """Collects the rows of several tables on disk, then puts all their files in place.

    Until `commit` the warehouse is as it was. A table that got no row loses its file.
    """

    def __init__(
        self,
        staging: Path,
        files: Mapping[str, Path],
        tables: Sequence[Table],
        *,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        """Write the rows of `tables` to their `files`.

        Args:
            staging: Where rows are collected; deleted afterwards.
            files: By name of the table.
            tables: Of the data dictionary.
            connection: Of DuckDB, for who writes many days; None opens one.
        """
        self._staging = staging
        self._connection = connection
        self._files = files
        self._tables = {table.name: table for table in tables}
        self._columns = {table.name: [c.name for c in table.columns] for table in tables}
        self._longest: dict[str, int] = {}
        """Characters of the longest row of a table; all of them are ASCII."""
        self._streams: dict[str, TextIO] = {}
        self.row_counts = dict.fromkeys(self._tables, 0)

    def __enter__(self) -> Self:
        shutil.rmtree(self._staging, ignore_errors=True)
        self._staging.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for stream in self._streams.values():
            stream.close()
        shutil.rmtree(self._staging, ignore_errors=True)

    def add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to a table. Keys that it has no column for are left out."""
        columns = self._columns[table]
        lines = [
            _without_unstorable(json.dumps({name: row.get(name) for name in columns}))
            for row in rows
        ]
        if lines:
            self._stream(table).write("\n".join(lines) + "\n")
            self._longest[table] = max(self._longest.get(table, 0), *map(len, lines))
            self.row_counts[table] += len(lines)

    def commit(self) -> None:
        """Write every table's file beside its place, then move them all."""
        ready: list[tuple[Path, Path]] = []
        with nullcontext(self._connection) if self._connection else opened() as connection:
            for name, stream in self._streams.items():
                stream.close()
                parquet = self._staging / f"{name}.parquet"
                longest = max(_LEAST_ROW_BYTES, self._longest[name] + 1)
                columns = self._tables[name].columns
                _convert(connection, Path(stream.name), parquet, columns, longest=longest)
                ready.append((parquet, self._files[name]))
        for written, target in ready:
            target.parent.mkdir(parents=True, exist_ok=True)
            written.replace(target)
        for name in self._tables.keys() - self._streams.keys():
            self._files[name].unlink(missing_ok=True)

    def _stream(self, table: str) -> TextIO:
        if table not in self._streams:
            path = self._staging / f"{table}.jsonl"
            self._streams[table] = path.open("w", encoding="utf-8")
        return self._streams[table]


def opened() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that holds nothing and leaves nothing on disk, for many files."""
    return duckdb.connect(config={**QUIET, "temp_directory": ""})


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, as they were added; none when there is no file."""
    if not path.exists():
        return []
    with duckdb.connect(config=QUIET) as connection:
        found = connection.execute("FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        return [
            {
                name: value.isoformat(" ") if isinstance(value, datetime) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in found.fetchall()
        ]


def _convert(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    target: Path,
    columns: Sequence[Column],
    *,
    longest: int,
) -> None:
    types = ", ".join(f"{quoted(column.name)}: {literal(column.type)}" for column in columns)
    connection.execute(
        f"COPY (SELECT * FROM read_json({literal(str(source))}, format='newline_delimited', "
        f"columns={{{types}}}, maximum_object_size={longest})) "
        f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    )


def _without_unstorable(line: str) -> str:
    """Drop what JSON can say and a database cannot hold: NUL and halves of surrogate pairs."""
    if "\\u0000" not in line and "\\ud" not in line:
        return line
    return json.dumps(_clean(json.loads(line)))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value
