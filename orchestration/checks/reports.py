"""What can be wrong with the published reports, as sentences: an empty list is a pass."""

from datetime import UTC, datetime

from analysis.errors import ReportsNotPublishedError
from analysis.reports import open_reports
from analysis.store.audit import rows_to_publish
from orchestration.deployment import Deployment


def row_count_problems(deployment: Deployment) -> list[str]:
    """Whether the published file opens, its views answer, and its rows are those of the stores."""
    try:
        connection = open_reports(deployment.reports_file)
    except ReportsNotPublishedError as error:
        return [str(error)]
    with connection:
        views = connection.execute(
            "select view_name from duckdb_views() where not internal order by all"
        ).fetchall()
        for (view,) in views:
            connection.execute(f'select count(*) from "{view}"').fetchone()
        published = {
            table: _count(connection.execute(f"select count(*) from {table}").fetchone())
            for table in ("conversations", "turns", "evaluations", "collected_values")
        }
    # What ended after the file was made is not missing from it.
    made_at = datetime.fromtimestamp(deployment.reports_file.stat().st_mtime, UTC)
    stored = rows_to_publish(deployment.engine, closed_to=made_at)
    return [
        f"{table}: {stored[table]} rows are stored, {count} are published"
        for table, count in published.items()
        if count != stored[table]
    ]


def _count(row: tuple[int, ...] | None) -> int:
    return row[0] if row is not None else 0
