"""Every figure of the design that needs no language model: `python -m tests.bench [PART ...]`.

Runs the parts one after another, each in a process of its own, and ends with a table of measured,
target and baseline. A part that fails stops nothing else and is named at the end; what an earlier
run measured of it stays in the table, with its date. `--quick` measures less, in under five
minutes, and keeps its figures apart.

Each part can be run alone with arguments of its own: `python -m tests.bench.comparison xquad`.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import summary
from tests.bench.figures import record
from tests.bench.places import QUICK_VARIABLE, REPOSITORY, reports

FULL: dict[str, tuple[str, ...]] = {
    "retrieval": (),
    "calibration": (),
    "chunking": (),
    "splitters": (),
    "comparison": (),
    "identifiers": (),
    "options": (),
    "speed": (),
    "ingest": (),
    "parsing": (),
    "publish": (),
    "turn_overhead": (),
    "sweep": (),
}
"""Parts in order, with their arguments."""
QUICK: dict[str, tuple[str, ...]] = {
    "retrieval": (),
    "comparison": ("xquad",),
    "identifiers": (),
    "options": ("precision",),
    "speed": (),
    "ingest": ("10",),
    "publish": ("--turns", "100000", "--days", "10"),
    "turn_overhead": ("100",),
}


def runnable() -> list[str]:
    """Modules of the bench that can be run."""
    paths = sorted(Path(__file__).parent.glob("[!_]*.py"))
    return [path.stem for path in paths if '__name__ == "__main__"' in path.read_text("utf-8")]


def run_part(part: str, arguments: Sequence[str]) -> bool:
    """Run one part, show and keep what it prints; returns whether it succeeded."""
    started = time.monotonic()
    print(f"\n== {part}", flush=True)
    command = [sys.executable, "-m", f"tests.bench.{part}", *arguments]
    kept = reports() / "printed" / f"{part}.txt"
    kept.parent.mkdir(exist_ok=True)
    with (
        kept.open("w", encoding="utf-8") as file,
        subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process,
    ):
        for line in process.stdout or ():
            print(line, end="", flush=True)
            file.write(line)
    seconds = time.monotonic() - started
    ending = "" if process.returncode == 0 else f", FAILED with {process.returncode}"
    print(f"== {part}: {seconds:.0f} s{ending}", flush=True)
    if part == "turn_overhead":
        record(part, summary.turn_overhead(kept.read_text(encoding="utf-8")))
    return process.returncode == 0


def main(parts: Sequence[str], *, quick: bool) -> int:
    """Run the parts and print the summary; returns how many failed."""
    known = runnable()
    unknown = set(parts) - set(known)
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 1
    if quick:
        os.environ[QUICK_VARIABLE] = "1"
    planned = QUICK if quick else FULL
    chosen = {part: planned.get(part, ()) for part in parts} if parts else planned
    failed = [part for part, arguments in chosen.items() if not run_part(part, arguments)]
    print(f"\n{'=' * 100}")
    summary.main(failed)
    return len(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true", help="measure less, in under five minutes")
    given = parser.parse_args()
    sys.exit(main(given.parts, quick=given.quick))
