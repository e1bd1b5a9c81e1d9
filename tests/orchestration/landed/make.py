"""Makes what `landed.tar.xz` holds: the sample deployment, as an earlier revision left it.

    git worktree add --detach OLD REVISION
    cd OLD && PYTHONPATH=. python -P PATH/TO/make.py FOLDER/REVISION

Run by today's interpreter on the code of then. What can be made again (reports, Parquet, logs) is
left out; databases are compacted.
"""

import importlib
import shutil
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from types import ModuleType

_DERIVED = ("store/warehouse", "store/reports.duckdb", "store/reports.html", "store/reports.md")
_OPERATIONS = ("orchestration.operations.operations", "orchestration.operations")
_USELESS = ("*.lock", "*.log", "*.out", "*.err")


def make(folder: Path) -> None:
    """Fill `folder` with agents, documents, three judged conversations and a Dagster instance."""
    sample = importlib.import_module("tests.orchestration.sample")
    ingesting = _first("orchestration.knowledge.ingesting", *_OPERATIONS)
    runs = _first("orchestration.processes.runs", "orchestration.runs")
    definitions = importlib.import_module("orchestration.definitions").defs
    with sample.sample_deployment(sample.write_data(folder)) as deployment:
        sample.hold_calls(deployment, 3)
        ingesting.ingest(deployment, "shop-desk")
        with runs.opened_instance(deployment) as instance:
            for job, days in (
                ("evaluate_days", ("2026-03-01", "2026-03-03")),
                ("publish_reports", None),
            ):
                runs.run_job(
                    job,
                    deployment,
                    definitions=definitions,
                    instance=instance,
                    partition_range=days,
                )
    for name in _DERIVED:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for pattern in _USELESS:
        for path in folder.rglob(pattern):
            path.unlink()
    for path in folder.rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"SQLite format 3"):
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
                connection.execute("vacuum")


def _first(*names: str) -> ModuleType:
    """A module: where it is now, or where it was before."""
    for name in names[:-1]:
        with suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    return importlib.import_module(names[-1])


if __name__ == "__main__":
    make(Path(sys.argv[1]))
