"""Rows -> Parquet files, written by DuckDB and put in place by renames."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import orjson

from analysis.dictionary.schema import Table, literal, quoted

QUIET: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": "false"}
"""Settings of every DuckDB that is opened here: nothing is downloaded."""
MEMORY_LIMIT = "128MB"
"""Of DuckDB where it writes the reports: what does not fit goes to disk."""
_LEAST_ROW_BYTES = 2**20
"""DuckDB refuses JSON lines longer than it is told, and each of its threads takes twice that."""
_FORMAT = "FORMAT parquet, COMPRESSION zstd"


class _Collected:
    """Rows of several tables, collected on disk as lines of JSON."""

    def __init__(
        self,
        staging: Path,
        tables: Sequence[Table],
        *,
        connection: duckdb.DuckDBPyConnection | None,
    ) -> None:
        self._staging = staging
        self._connection = connection
        self._tables = {table.name: table for table in tables}
        self._longest: dict[str, int] = {}
        """Bytes of the longest row of a table."""
        self._streams: dict[str, BinaryIO] = {}

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

    def _add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> int:
        lines = _lines(rows)
        if lines:
            self._stream(table).write(b"\n".join(lines) + b"\n")
            self._longest[table] = max(self._longest.get(table, 0), *map(len, lines))
        return len(lines)

    def _stream(self, table: str) -> BinaryIO:
        if table not in self._streams:
            self._streams[table] = (self._staging / f"{table}.jsonl").open("wb")
        return self._streams[table]

    def _sources(self) -> Iterator[tuple[str, str]]:
        """Each table that got rows, and the SQL that reads them as the dictionary types them."""
        for name, stream in self._streams.items():
            stream.close()
            columns = self._tables[name].columns
            types = ", ".join(f"{quoted(c.name)}: {literal(c.type)}" for c in columns)
            longest = max(_LEAST_ROW_BYTES, self._longest[name] + 1)
            yield (
                name,
                f"read_json({literal(str(stream.name))}, format='newline_delimited', "
                f"columns={{{types}}}, maximum_object_size={longest})",
            )


class ParquetWriter(_Collected):
    """Collects the rows of several tables on disk, then puts all their files in place.

    Until `commit` the warehouse is as it was. A table that got no row loses its file.
    """

    def __init__(self, staging: Path, files: Mapping[str, Path], tables: Sequence[Table]) -> None:
        """Write the rows of `tables` to their `files`.

        Args:
            staging: Where rows are collected; deleted afterwards.
            files: By name of the table.
            tables: Of the data dictionary.
        """
        super().__init__(staging, tables, connection=None)
        self._files = files

    def add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows to a table. Keys that it has no column for are left out."""
        self._add(table, rows)

    def commit(self) -> None:
        """Write every table's file beside its place, then move them all."""
        ready: list[tuple[Path, Path]] = []
        with opened() as connection:
            for name, rows in self._sources():
                parquet = self._staging / f"{name}.parquet"
                connection.execute(f"COPY (FROM {rows}) TO {literal(str(parquet))} ({_FORMAT})")
                ready.append((parquet, self._files[name]))
        _put_in_place(ready)
        for name in self._tables.keys() - self._streams.keys():
            self._files[name].unlink(missing_ok=True)


class DaysWriter(_Collected):
    """Collects the rows of some days, each with its `day`, then puts the files of all in place.

    Until `commit` the warehouse is as it was. A day without a row in a table loses its file there.
    """

    def __init__(
        self,
        staging: Path,
        file_of: Callable[[Table, date], Path],
        tables: Sequence[Table],
        days: Collection[date],
        *,
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        """Write the rows that `tables` have of `days`.

        Args:
            staging: Where rows are collected; deleted afterwards.
            file_of: Where the rows of a table and a day belong.
            tables: Of the data dictionary; all have a column `day`.
            days: That the rows may have.
            connection: That `opened` returned.
        """
        super().__init__(staging, tables, connection=connection)
        self._file_of = file_of
        self._days = {day.isoformat(): day for day in days}
        self._counts = {table.name: dict.fromkeys(self._days, 0) for table in tables}
        self._duckdb = connection

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows to a table. Keys that it has no column for are left out."""
        self._add(table, rows)
        for day, count in Counter(row["day"] for row in rows).items():
            self._counts[table][day] += count

    def row_counts(self, day: date) -> dict[str, int]:
        """Return how many rows were added of a day, by table."""
        return {table: counts[day.isoformat()] for table, counts in self._counts.items()}

    def commit(self) -> None:
        """Write every file beside its place, then move them all."""
        ready: list[tuple[Path, Path]] = []
        for name, rows in self._sources():
            for day, parquet in self._by_day(name, rows).items():
                ready.append((parquet, self._file_of(self._tables[name], self._days[day])))
        _put_in_place(ready)
        for name, counts in self._counts.items():
            for day, count in counts.items():
                if not count:
                    self._file_of(self._tables[name], self._days[day]).unlink(missing_ok=True)

    def _by_day(self, table: str, rows: str) -> dict[str, Path]:
        """Write a table's rows to one file a day, in the order in which they were added.

        `PARTITION_BY` would write all at once, and takes rows of a day out of their order.
        """
        days = [day for day, count in self._counts[table].items() if count]
        if len(days) > 1:
            self._duckdb.execute(f"CREATE OR REPLACE TEMP TABLE collected AS FROM {rows}")
            rows = "collected"
        found = {day: self._staging / f"{table}-{day}.parquet" for day in days}
        for day, target in found.items():
            of_day = f"FROM {rows}" + (f" WHERE day = {literal(day)}" if len(days) > 1 else "")
            self._duckdb.execute(f"COPY ({of_day}) TO {literal(str(target))} ({_FORMAT})")
        if len(days) > 1:
            self._duckdb.execute("DROP TABLE collected")
        return found


def _put_in_place(ready: Iterable[tuple[Path, Path]]) -> None:
    for written, target in ready:
        target.parent.mkdir(parents=True, exist_ok=True)
        written.replace(target)


def opened() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that holds nothing and leaves nothing on disk, for many files.

    One thread writes files of a day in half the processor time of two, and keeps rows in order.
    """
    return duckdb.connect(config={**QUIET, "temp_directory": "", "threads": 1})


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


def _lines(rows: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Return rows as JSON that a database can hold."""
    return [_without_unstorable(line) for line in map(_line, rows)]


def _line(row: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(row)
    except orjson.JSONEncodeError:  # halves of surrogate pairs, integers of more than 64 bits
        return json.dumps(row).encode()


def _without_unstorable(line: bytes) -> bytes:
    """Drop what JSON can say and a database cannot hold: NUL and halves of surrogate pairs."""
    if b"\\u0000" not in line and b"\\ud" not in line:
        return line
    return json.dumps(_clean(json.loads(line))).encode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value
