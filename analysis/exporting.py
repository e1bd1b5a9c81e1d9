"""Tables and views of the published reports as files for other programs."""

from pathlib import Path

import duckdb

from analysis.errors import ExportError, ReportsNotPublishedError
from analysis.parquet import QUIET, literal, quoted

_FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".jsonl": "FORMAT json",
}


def export_table(reports: Path, name: str, target: Path) -> int:
    """Write a table or view to `target`, whose suffix says how; an existing file is replaced.

    Args:
        reports: The published file.
        name: A table or view, e.g. `success_rates`.
        target: Ends in `.csv`, `.parquet` or `.jsonl` (one JSON object a line).

    Returns:
        The number of rows.

    Raises:
        ReportsNotPublishedError: Nothing is published.
        ExportError: No such table or format, or the file cannot be written.
    """
    written_as = _FORMATS.get(target.suffix.lower())
    if written_as is None:
        raise ExportError(
            f"{target.name!r} does not say how to write it: end it with one of "
            f"{', '.join(_FORMATS)}."
        )
    if not reports.is_file():
        raise ReportsNotPublishedError(
            f"No reports are published at {reports}. Run `vivavoce report` first."
        )
    following = target.with_name(f".{target.name}.next")
    # Only names of the reports get here, never SQL of others: this connection can write files.
    with duckdb.connect(config=QUIET) as connection:
        connection.execute(f"ATTACH {literal(str(reports))} AS reports (READ_ONLY)")
        connection.execute("USE reports")
        names = [row[0] for row in connection.execute("SELECT name FROM (SHOW TABLES)").fetchall()]
        if name not in names:
            raise ExportError(
                f"The reports have no table or view {name!r}. They have {', '.join(names)}."
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            counted = connection.execute(
                f"COPY {quoted(name)} TO {literal(str(following))} ({written_as})"
            ).fetchone()
            following.replace(target)
        except (duckdb.Error, OSError) as error:
            following.unlink(missing_ok=True)
            raise ExportError(f"{target} cannot be written: {error}.") from error
    return int(counted[0]) if counted else 0
