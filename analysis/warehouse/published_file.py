"""The published DuckDB file: made from Parquet files whole, or brought up to date day by day.

What a file holds is noted beside the Parquet files. A day that is written anew replaces its rows in
a copy; words that leave for good would stay in the free space of such a copy, so that they leave by
a new file, which takes the rows of all other days from the old one.
"""

import hashlib
import json
import shutil
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from analysis.dictionary.schema import Table, View, literal, quoted
from analysis.dictionary.tables import (
    COLLECTED_VALUES,
    CONVERSATIONS,
    DAILY_TABLES,
    EVALUATIONS,
    JUDGE_AGREEMENT,
    LABELS,
    STORED_TABLES,
    TABLES,
    TURNS,
)
from analysis.dictionary.week_views import WILSON_MACRO
from analysis.errors import DamagedFileError, PublishError
from analysis.warehouse.files import table_files
from analysis.warehouse.load import (
    create_table,
    create_view,
    fill_agreement,
    insert_files,
)
from analysis.warehouse.parquet import MEMORY_LIMIT, QUIET

Stamp = tuple[int, int, int]
"""What tells one content of a file from the next: time, size, inode."""
_LASTING = {
    TURNS.name: "conversation_id, turn_index, text",
    CONVERSATIONS.name: "conversation_id, summary",
    EVALUATIONS.name: "evaluation_id, rationale",
    COLLECTED_VALUES.name: "collected_value_id, value",
}
"""Rows that are only ever added, unless something is to be forgotten or masked."""
_MOST_REPLACED = 0.3
"""Of all rows: what was replaced lies in the file as free space, until it is made whole."""
_BYTES_AT_ONCE = 16 * 2**20
_BYTES_FOR_THREADS = 256 * 2**20
"""Of Parquet. With less, in a file a day, two threads take twice the processor time of one."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a published file is made from."""

    tables: str
    """Hash of their columns, of the time zone, and of the version of DuckDB."""
    views: str
    """Hash of their queries."""
    parts: Mapping[str, Mapping[str, Stamp]]
    """By table and by folder of a part, such as `day=2026-03-01`, its Parquet file."""
    timezone: str
    """That decides the days of the reports."""


@dataclass(frozen=True, slots=True)
class Held:
    """A published file that is there."""

    parts: Contents
    row_counts: Mapping[str, int]
    replaced: int
    """Rows that were replaced since it was made whole."""


def contents(warehouse_dir: Path, views: Sequence[View], *, timezone: str = "UTC") -> Contents:
    """What a file that is published now would be made from; no Parquet file is opened."""
    defined = [(t.name, t.comment, [asdict(c) for c in t.all_columns]) for t in TABLES]
    shown = [(v.name, v.sql, v.comment, [asdict(c) for c in v.columns]) for v in views]
    return Contents(
        _hash([duckdb.__version__, defined, timezone]),
        _hash([WILSON_MACRO, shown]),
        {
            table.name: {
                path.parent.name: _stamp(path) for path in table_files(warehouse_dir, table)
            }
            for table in STORED_TABLES
        },
        timezone,
    )


def held_by(warehouse_dir: Path, target: Path) -> Held | None:
    """What the file at `target` is known to hold; None when it is not the one that was noted."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        noted = json.loads(_note(warehouse_dir).read_text("utf-8"))
        if noted["file"] == [str(target.resolve()), *_stamp(target)]:
            parts = {
                table: {part: (stamp[0], stamp[1], stamp[2]) for part, stamp in found.items()}
                for table, found in noted["parts"].items()
            }
            found = Contents(noted["tables"], noted["views"], parts, noted["timezone"])
            return Held(found, noted["row_counts"], noted["replaced"])
    return None


def note_held(
    warehouse_dir: Path, target: Path, held: Contents, row_counts: Mapping[str, int], replaced: int
) -> None:
    """Note what the file at `target` holds."""
    noted = {
        "file": [str(target.resolve()), *_stamp(target)],
        **asdict(held),
        "row_counts": dict(row_counts),
        "replaced": replaced,
    }
    following = _note(warehouse_dir).with_suffix(".next")
    following.write_text(json.dumps(noted), "utf-8")
    following.replace(_note(warehouse_dir))


def build(
    following: Path,
    warehouse_dir: Path,
    target: Path,
    wanted: Contents,
    held: Held | None,
    views: Sequence[View],
) -> tuple[dict[str, int], int]:
    """Make the file `following` hold what is wanted.

    Returns:
        The rows of each table, and how many were replaced since the file was made whole.

    Raises:
        PublishError: A file cannot be read; names it.
    """
    replaced = None
    if held is not None and held.parts.tables == wanted.tables:
        # An old file that is damaged is made anew.
        with suppress(duckdb.Error):
            replaced = _renewed(following, warehouse_dir, target, wanted, held)
    whole = replaced is None
    if whole:
        _started(following, warehouse_dir, target, wanted, held)
    with _opened(following, wanted) as connection:
        # One transaction: hundreds of comments would each wait for the disk.
        connection.begin()
        if whole or (held and _judged(held.parts) != _judged(wanted)):
            fill_agreement(connection)
        if whole or (held and held.parts.views != wanted.views):
            _show(connection, views)
        connection.commit()
        counts = {table.name: _count(connection, table) for table in TABLES}
        connection.execute("CHECKPOINT")
    return counts, replaced or 0


def _started(
    following: Path, warehouse_dir: Path, target: Path, wanted: Contents, held: Held | None
) -> None:
    """Make a new file that holds every stored table.

    Days that did not change come from the old file: a quarter of what reading Parquet costs.
    """
    if held is not None and held.parts.tables == wanted.tables:
        with suppress(duckdb.Error):
            _fill_new(following, warehouse_dir, wanted, held.parts, target)
            return
    _fill_new(following, warehouse_dir, wanted, None, None)


def _fill_new(
    following: Path,
    warehouse_dir: Path,
    wanted: Contents,
    held: Contents | None,
    target: Path | None,
) -> None:
    for left in (following, following.with_name(f"{following.name}.wal")):
        left.unlink(missing_ok=True)
    with _opened(following, wanted) as connection:
        if target is not None:
            connection.execute(f"ATTACH {literal(str(target))} AS old (READ_ONLY)")
        connection.begin()
        for table in (*STORED_TABLES, JUDGE_AGREEMENT):
            create_table(connection, table)
        for table in STORED_TABLES:
            parts = wanted.parts[table.name]
            if held is not None and table in DAILY_TABLES:
                before = held.parts.get(table.name, {})
                same = [part for part in parts if before.get(part) == parts[part]]
                _copy(connection, table, same)
                files = _files(table, sorted(parts.keys() - {*same}), warehouse_dir)
            else:
                files = table_files(warehouse_dir, table)
            _fill(connection, table, files, wanted.timezone)
        connection.commit()


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, parts: Sequence[str]) -> None:
    """Take the rows of some days from the old file."""
    if parts:
        connection.execute(
            f"INSERT INTO {quoted(table.name)} BY NAME "
            f"SELECT * FROM old.{quoted(table.name)} WHERE {_of_days(parts)}"
        )


def _renewed(
    following: Path, warehouse_dir: Path, target: Path, wanted: Contents, held: Held
) -> int | None:
    """Copy the old file and replace what changed; None when a new one has to be made."""
    changes = {
        table: _changed(held.parts.parts.get(table.name, {}), wanted.parts[table.name])
        for table in STORED_TABLES
    }
    changes = {table: parts for table, parts in changes.items() if parts}
    shutil.copyfile(target, following)
    replaced = held.replaced
    with _opened(following, wanted) as connection:
        if any(_lost(connection, t, parts, warehouse_dir) for t, parts in changes.items()):
            return None
        connection.begin()
        for table, parts in changes.items():
            replaced += _replace(connection, table, parts, warehouse_dir, wanted.timezone)
        connection.commit()
        rows = sum(_count(connection, table) for table in STORED_TABLES)
    return None if replaced > _MOST_REPLACED * rows else replaced


def _changed(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> list[str]:
    return sorted(part for part in before.keys() | now.keys() if before.get(part) != now.get(part))


def _lost(
    connection: duckdb.DuckDBPyConnection, table: Table, parts: Sequence[str], warehouse_dir: Path
) -> bool:
    """Whether rows of the old file are not in the new ones, though they would last."""
    columns = _LASTING.get(table.name)
    if columns is None:
        return False
    held = f"SELECT {columns} FROM {quoted(table.name)} WHERE {_of_days(parts)}"
    if table is CONVERSATIONS:
        held += " AND summary IS NOT NULL"
    files = _files(table, parts, warehouse_dir)
    if files:
        listed = ", ".join(literal(str(path)) for path in files)
        with _reading(table, files):
            held += f" EXCEPT SELECT {columns} FROM read_parquet([{listed}], union_by_name = true)"
            return bool(connection.execute(f"SELECT 1 FROM ({held}) LIMIT 1").fetchone())
    return bool(connection.execute(f"SELECT 1 FROM ({held}) LIMIT 1").fetchone())


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    parts: Sequence[str],
    warehouse_dir: Path,
    timezone: str,
) -> int:
    """Put new rows of some days in place of the old ones; of small tables, all rows."""
    daily = table in DAILY_TABLES
    which = _of_days(parts) if daily else "true"
    gone = connection.execute(f"DELETE FROM {quoted(table.name)} WHERE {which}").fetchone()
    files = _files(table, parts, warehouse_dir) if daily else table_files(warehouse_dir, table)
    _fill(connection, table, files, timezone)
    return int(gone[0]) if gone else 0


def _fill(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path], timezone: str
) -> None:
    """Add the rows of files, a few at a time, so that memory does not follow their number."""
    for some in _batches(files):
        with _reading(table, some):
            insert_files(connection, table, some, timezone=timezone)


def _batches(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    some: list[Path] = []
    size = 0
    for path in files:
        some.append(path)
        size += path.stat().st_size
        if size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


@contextmanager
def _reading(table: Table, files: Sequence[Path]) -> Generator[None]:
    """Turns errors of DuckDB about Parquet files into ours, which name the file."""
    try:
        yield
    except duckdb.Error as error:
        damaged = [path for path in files if not _is_readable(path)]
        if damaged:
            raise DamagedFileError(
                f"{len(damaged)} warehouse files of table {table.name!r} cannot be read, e.g. "
                f"{damaged[0]}. `vivavoce report` writes them anew from the stores.",
                damaged,
            ) from error
        raise PublishError(
            f"The warehouse files of table {table.name!r} cannot be read: {error}. Delete the "
            "folder `days` of the warehouse and run `vivavoce report`: everything in the "
            "warehouse is made from the stores."
        ) from error


def _is_readable(path: Path) -> bool:
    with duckdb.connect(config=QUIET) as connection:
        try:
            connection.execute(f"SELECT max(hash(r)) FROM read_parquet({literal(str(path))}) AS r")
        except duckdb.Error:
            return False
    return True


def _show(connection: duckdb.DuckDBPyConnection, views: Sequence[View]) -> None:
    old = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    for (name,) in old:
        connection.execute(f"DROP VIEW {quoted(name)}")
    connection.execute(WILSON_MACRO.replace("CREATE ", "CREATE OR REPLACE ", 1))
    for view in views:
        create_view(connection, view)


def _judged(parts: Contents) -> object:
    return [parts.parts.get(t.name) for t in (CONVERSATIONS, EVALUATIONS, LABELS)]


def _files(table: Table, parts: Sequence[str], warehouse_dir: Path) -> list[Path]:
    found = [warehouse_dir / table.name / part / "part.parquet" for part in parts]
    return [path for path in found if path.exists()]


def _of_days(parts: Sequence[str]) -> str:
    days = ", ".join(f"{literal(part.removeprefix('day='))}::DATE" for part in parts)
    return f"day IN ({days})"


def _opened(path: Path, wanted: Contents) -> duckdb.DuckDBPyConnection:
    config = {**QUIET, "memory_limit": MEMORY_LIMIT}
    parquet_bytes = sum(stamp[1] for files in wanted.parts.values() for stamp in files.values())
    if parquet_bytes < _BYTES_FOR_THREADS:
        config["threads"] = 1
    connection = duckdb.connect(str(path), config=config)
    # Progress is the caller's to show.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _count(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    found = connection.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()
    return int(found[0]) if found else 0


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=str).encode()).hexdigest()[:16]


def _note(warehouse_dir: Path) -> Path:
    return warehouse_dir / "published.json"
