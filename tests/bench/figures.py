"""What was measured, kept by name, so that the summary can be made from any number of runs."""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from tests.bench.measures import interval, mean
from tests.bench.places import REPOSITORY, reports


@dataclass(frozen=True, slots=True)
class Figure:
    """One number."""

    name: str
    """`SET/SYSTEM/MEASURE` of a comparison, else `PART/MEASURE`."""
    value: float
    n: int
    """Number of tasks, files or repetitions."""
    low: float | None = None
    """95 % interval, where there is one."""
    high: float | None = None
    measured_at: str = ""
    revision: str = ""
    """Of the code."""
    load: float = 0.0
    """Processes that wanted to run on the machine in the last minute: times of a busy one are
    upper bounds."""


def mean_figure(name: str, values: list[float]) -> Figure:
    """The mean of one value a task, with its interval."""
    low, high = interval(values)
    return Figure(name, mean(values), len(values), low, high)


def record(part: str, figures: Iterable[Figure]) -> None:
    """Keep figures of a part; those of the same name are replaced, others stay."""
    path = reports() / "figures" / f"{part}.json"
    path.parent.mkdir(exist_ok=True)
    held = {row["name"]: row for row in json.loads(path.read_text())} if path.exists() else {}
    stamp = {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "revision": _revision(),
        "load": round(os.getloadavg()[0], 1),
    }
    held |= {figure.name: asdict(figure) | stamp for figure in figures}
    path.write_text(json.dumps(list(held.values()), indent=1) + "\n")


def recorded() -> dict[str, Figure]:
    """Every figure that was kept, by name."""
    rows = [
        row
        for path in sorted((reports() / "figures").glob("*.json"))
        for row in json.loads(path.read_text())
    ]
    return {row["name"]: Figure(**row) for row in rows}


def _revision() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"
