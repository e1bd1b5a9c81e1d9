"""What Dagster adds to the plain functions, and how long its code location takes to load.

    python -m tests.bench.dagster_overhead [CONVERSATIONS ...]

Both sides judge the same conversations with a scripted judge, export and publish, each in a store
of its own; the difference is what Dagster costs.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.processes.runs import opened_instance, run_job
from tests.analysis.calls import hold_call
from tests.orchestration.sample import FIRST_DAY, sample_deployment, write_data

DEFAULT_SIZES = (1, 100, 1_000)
LOADS = 3
_LOAD = """
import time
started = time.perf_counter()
import orchestration.definitions
orchestration.definitions.defs.resolve_asset_graph()
print(time.perf_counter() - started)
"""


def plainly(deployment: Deployment) -> None:
    """What commands without Dagster do."""
    evaluate(deployment, [FIRST_DAY.date()])
    publish_reports(deployment)


def through_dagster(deployment: Deployment) -> None:
    """The same as two runs."""
    with opened_instance(deployment) as instance:
        day = str(FIRST_DAY.date())
        run_job("evaluate_days", deployment, definitions=defs, instance=instance, partition=day)
        run_job("publish_reports", deployment, definitions=defs, instance=instance)


def seconds(work: Callable[[Deployment], None], conversations: int) -> float:
    """Time of `work` on a new store with so many conversations of one day."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sample_deployment(write_data(Path(folder) / "data")) as deployment,
    ):
        for number in range(conversations):
            hold_call(deployment.conversations, f"c{number}", started_at=FIRST_DAY)
        started = time.perf_counter()
        work(deployment)
        return time.perf_counter() - started


def main(sizes: list[int]) -> None:
    """Print one line a size."""
    loads = [_load_s() for _ in range(LOADS)]
    print(f"code location loads in {statistics.median(loads):.1f} s (median of {LOADS})")
    print(f"{'conversations':>13}{'plain s':>10}{'Dagster s':>11}{'added s':>9}{'ratio':>7}")
    for size in sizes:
        plain, dagster = seconds(plainly, size), seconds(through_dagster, size)
        print(f"{size:>13}{plain:>10.2f}{dagster:>11.2f}{dagster - plain:>9.2f}", end="")
        print(f"{dagster / plain:>7.2f}", flush=True)


def _load_s() -> float:
    command = [sys.executable, "-c", _LOAD]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(DEFAULT_SIZES))
