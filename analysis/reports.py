"""Read what was published: a DuckDB connection that can do nothing but read."""

from pathlib import Path

import duckdb

from analysis.dictionary.schema import literal
from analysis.errors import ReportsNotPublishedError

DEFAULT_REPORTS = Path("data/store/reports.duckdb")


def open_reports(
    path: Path | str = DEFAULT_REPORTS, *, memory_limit: str = "2GB", threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a connection to the published reports, e.g. `open_reports().sql("from topics")`.

    It reads the reports and nothing else: no file, no network, no other database, and no setting
    can be changed. It keeps showing the same reports while newer ones are published; open again
    to see those.

    Args:
        path: The published file.
        memory_limit: What one query may use, as DuckDB writes it.
        threads: How many of them; None means one for each core.

    Raises:
        ReportsNotPublishedError: Nothing was published yet; says what to run.
    """
    path = Path(path)
    if not path.is_file():
        raise ReportsNotPublishedError(
            f"No reports are published at {path}. Run `vivavoce report` (or materialize the asset "
            "`reports`) to publish them, or give the path of the published file."
        )
    connection = duckdb.connect(":memory:")
    try:
        # Attached, not opened: DuckDB would hand a second connection of this process the file that
        # the first one opened, though another was published since.
        connection.execute(f"ATTACH {literal(str(path))} AS reports (READ_ONLY)")
        connection.execute("USE reports")
        connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        if threads is not None:
            connection.execute(f"SET threads = {threads:d}")
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET autoinstall_known_extensions = false")
        # A temporary folder, and the very file with what may lie beside it, would stay open to
        # reading and writing by name; what is attached is read through the handle that is open.
        connection.execute("SET temp_directory = ''")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET disabled_filesystems = 'LocalFileSystem'")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        raise ReportsNotPublishedError(
            f"The reports at {path} cannot be read: {str(error).rstrip('!.')}. Publish them again "
            "with `vivavoce report`."
        ) from error
    return connection
