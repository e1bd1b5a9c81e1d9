"""The same tables and views on DuckLake: many processes write, a catalog keeps them consistent.

    lake = Lake("ducklake:postgres:dbname=reports host=db.internal user=viva", "s3://calls/reports")
    write_day(lake, warehouse_dir, day)
    open_lake(lake, read_only=True).sql("from success_rates")

A DuckDB file is rebuilt and exchanged as a whole, which one machine does in seconds. A lake takes
one day at a time from whichever worker judged it. It needs the extra `scale`: its DuckDB extensions
come as wheels, and nothing is fetched when a lake is opened.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb

from analysis.dictionary.schema import Table, View, literal, quoted
from analysis.dictionary.tables import (
    CONVERSATIONS,
    DAILY_TABLES,
    JUDGE_AGREEMENT,
    SNAPSHOT_TABLES,
    TABLES,
)
from analysis.dictionary.views import VIEWS, agent_views
from analysis.errors import LakeError
from analysis.warehouse.files import day_file, table_files
from analysis.warehouse.lake_opening import (
    NAME,
    Lake,
    forget_statistics,
    masked,
    open_lake,
    part_lock,
)
from analysis.warehouse.load import agreement_values, insert_files, report_day
from conversation.agent.config import AgentConfig

_T = TypeVar("_T")

MAX_ATTEMPTS = 12
"""Of one transaction; writers that touch the same table at the same moment take turns."""


def write_day(
    lake: Lake, warehouse_dir: Path, day: date, *, timezone: str = "UTC"
) -> Mapping[str, int]:
    """Replace what the lake holds of one day by the exported Parquet files of that day.

    One transaction: a reader sees the day as it was or as it is. Other processes may write other
    days at the same time. Days of the reports are those of `timezone`.

    Returns:
        Number of rows by table.

    Raises:
        LakeError: The lake cannot be written, or other writers kept it busy.
    """

    def write(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
        counts: dict[str, int] = {}
        for table in DAILY_TABLES:
            connection.execute(f"DELETE FROM {quoted(table.name)} WHERE day = ?", [day])
            path = day_file(warehouse_dir, table, day)
            files = [path] if path.is_file() else []
            counts[table.name] = _insert(connection, table, files, timezone)
        return counts

    return _transact(lake, str(day), write)


def write_snapshots(
    lake: Lake, warehouse_dir: Path, agents: Sequence[AgentConfig], *, timezone: str = "UTC"
) -> Mapping[str, int]:
    """Replace the small tables that belong to no day, and bring all views up to date.

    Also the days of the reports, where they were those of another time zone.

    Returns:
        Number of rows by table.

    Raises:
        LakeError: As `write_day`.
    """

    def write(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
        counts: dict[str, int] = {}
        for table in SNAPSHOT_TABLES:
            connection.execute(f"DELETE FROM {quoted(table.name)}")
            files = table_files(warehouse_dir, table)
            counts[table.name] = _insert(connection, table, files, timezone)
        day = report_day(CONVERSATIONS, timezone)
        connection.execute(
            f"UPDATE {CONVERSATIONS.name} SET report_day = {day} "
            f"WHERE report_day IS DISTINCT FROM {day}"
        )
        rows = agreement_values(connection)
        connection.execute(f"DELETE FROM {JUDGE_AGREEMENT.name}")
        if rows:
            marks = ", ".join("?" * len(JUDGE_AGREEMENT.columns))
            connection.executemany(f"INSERT INTO {JUDGE_AGREEMENT.name} VALUES ({marks})", rows)
        counts[JUDGE_AGREEMENT.name] = len(rows)
        for view in (*VIEWS, *agent_views(agents)):
            _create_view(connection, view)
        return counts

    return _transact(lake, "snapshots", write)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path], timezone: str
) -> int:
    return insert_files(connection, table, files, timezone=timezone) if files else 0


def tidy(lake: Lake) -> None:
    """Merge small files, and delete for good what deleted or replaced rows left in old ones.

    A lake keeps its past to be queried as it was; deletion of a person's words has to end that.

    Raises:
        LakeError: As `write_day`.
    """

    def tidied(connection: duckdb.DuckDBPyConnection) -> None:
        for step in (
            f"CALL ducklake_rewrite_data_files('{NAME}', delete_threshold => 0)",
            f"CALL ducklake_merge_adjacent_files('{NAME}')",
            f"CALL ducklake_expire_snapshots('{NAME}', older_than => now())",
            f"CALL ducklake_cleanup_old_files('{NAME}', cleanup_all => true)",
        ):
            connection.execute(step)

    with closing(open_lake(lake)) as connection:
        _repeat(lambda: tidied(connection), lake)
    forget_statistics(lake)


def _transact(
    lake: Lake, part: str, write: Callable[[duckdb.DuckDBPyConnection], dict[str, int]]
) -> dict[str, int]:
    # Two writers of one part would each delete what they see and add their own: it would be there
    # twice, and the lake would see no conflict.
    with closing(open_lake(lake)) as connection, part_lock(lake, part):

        def attempt() -> dict[str, int]:
            connection.begin()
            try:
                for table in TABLES:
                    _create_table(connection, table)
                written = write(connection)
                connection.commit()
            except BaseException:
                _roll_back(connection)
                raise
            return written

        return _repeat(attempt, lake)


def _repeat(attempt: Callable[[], _T], lake: Lake) -> _T:
    """Attempt again while other writers are in the way, with growing random pauses."""
    number = 0
    while True:
        number += 1
        try:
            return attempt()
        except duckdb.Error as error:
            if not _is_conflict(error) or number == MAX_ATTEMPTS:
                raise LakeError(
                    f"The lake at {masked(lake.url)!r} could not be written after {number} "
                    f"attempts: {masked(str(error))}"
                ) from None  # whose message may hold the password
        time.sleep(random.uniform(0, min(2.0, 0.05 * 2**number)))


def _is_conflict(error: duckdb.Error) -> bool:
    told = str(error).lower()
    return any(
        sign in told
        for sign in ("conflict", "locked", "could not serialize", "already exists", "duplicate key")
    )


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.rollback()
    except duckdb.TransactionException:
        # A commit that failed has ended the transaction already.
        return


def _create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = ? AND table_name = ?",
        [NAME, table.name],
    ).fetchone()
    if known and known[0]:
        _add_columns(connection, table)
        return
    definition = ", ".join(f"{quoted(c.name)} {lake_type(c.type)}" for c in table.all_columns)
    connection.execute(f"CREATE TABLE {quoted(table.name)} ({definition})")
    connection.execute(f"COMMENT ON TABLE {quoted(table.name)} IS {literal(table.comment)}")
    for column in table.all_columns:
        connection.execute(
            f"COMMENT ON COLUMN {quoted(table.name)}.{quoted(column.name)} "
            f"IS {literal(column.comment)}"
        )
    if table in DAILY_TABLES:
        connection.execute(f"ALTER TABLE {quoted(table.name)} SET PARTITIONED BY (day)")


def _add_columns(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Add what the data dictionary has gained since the table was made."""
    held = {row[0] for row in connection.execute(f"DESCRIBE {quoted(table.name)}").fetchall()}
    for column in table.all_columns:
        if column.name not in held:
            connection.execute(
                f"ALTER TABLE {quoted(table.name)} "
                f"ADD COLUMN {quoted(column.name)} {lake_type(column.type)}"
            )


def _create_view(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    connection.execute(f"CREATE OR REPLACE VIEW {quoted(view.name)} AS {view.sql}")
    connection.execute(f"COMMENT ON VIEW {quoted(view.name)} IS {literal(view.comment)}")


def lake_type(type_: str) -> str:
    """The type of a column in a lake, which knows no enumerations."""
    return "VARCHAR" if type_.startswith("ENUM(") else type_
