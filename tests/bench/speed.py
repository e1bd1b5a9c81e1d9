"""What retrieval costs by size of the knowledge base: time, memory, disk, recall of the index.

    python -m tests.bench.speed [CHUNKS ...]

Texts are made up by `tests.bench.synthetic`; queries are real and embedded by the model. Each size
is measured in a process of its own. A size that is not built yet is built for `--build` seconds
at most (240) and left out when that is not enough; the next run goes on with it. Writes
`speed.csv`, `speed.md` and `speed.svg` into the bench's folder.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench import busy
from tests.bench.drawing import line_chart
from tests.bench.figures import Figure, record
from tests.bench.places import REPOSITORY, quick, reports
from tests.bench.probe import DEFAULT_QUERIES, THREADS
from tests.bench.synthetic import build, directory_of
from tests.bench.tables import markdown

DEFAULT_SIZES = (1_000, 10_000, 100_000, 500_000)
QUICK_SIZES = (1_000, 10_000)
BUSY_SIZE = 100_000
TARGET_MS = 40.0
_COLD_STARTS = 3
_COLD = """
import sys, time
started = time.perf_counter()
from kb.knowledge_base import KnowledgeBase
with KnowledgeBase.open(sys.argv[1], read_only=True) as kb:
    kb.retrieve("how do I pay?")
    print(time.perf_counter() - started)
"""
Row = dict[str, float]


def measure(chunks: int, *, queries: int) -> Row:
    """Everything about one size that is built."""
    directory = directory_of(chunks)
    probe = [sys.executable, "-m", "tests.bench.probe", str(directory), str(queries)]
    return _json_of(probe) | {
        "cold_s": statistics.median(cold_start_s(directory) for _ in range(_COLD_STARTS)),
        "disk_mb": disk_bytes(directory) / 2**20,
        "vectors_cached_mb": (directory / "embeddings.sqlite3").stat().st_size / 2**20,
    }


def cold_start_s(directory: Path) -> float:
    """Seconds from the first import in a new process to its first passage."""
    command = [sys.executable, "-c", _COLD, str(directory)]
    return float(_output_of(command))


def disk_bytes(directory: Path) -> int:
    """Of all files of a knowledge base, its embedding cache included."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def memory_per_100k(rows: Sequence[Mapping[str, float]]) -> float | None:
    """MB that 100,000 chunks add, from the smallest and the largest size measured."""
    first, last = rows[0], rows[-1]
    if first["chunks"] == last["chunks"]:
        return None
    grown = last["resident_mb"] - first["resident_mb"]
    return grown / (last["chunks"] - first["chunks"]) * 100_000


def report_table(rows: Sequence[Row]) -> str:
    """The sizes as Markdown, one a column."""
    names = [name for name in dict.fromkeys(key for row in rows for key in row) if name != "chunks"]
    head = ["", *(f"{row['chunks']:,.0f} chunks" for row in rows)]
    return markdown([head, *([name, *(_shown(row.get(name)) for row in rows)] for name in names)])


def write_reports(rows: Sequence[Row]) -> None:
    """Write CSV, Markdown and the plot."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with (reports() / "speed.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names)
        writer.writeheader()
        writer.writerows(rows)
    (reports() / "speed.md").write_text(report_table(rows) + "\n", encoding="utf-8")
    lines = {
        label: [(row["chunks"], row[name]) for row in rows]
        for label, name in {
            "query p50": "query_p50_ms",
            "query p95": "query_p95_ms",
            "with history p50": "turn_p50_ms",
            "with history p95": "turn_p95_ms",
        }.items()
    }
    chart = line_chart(
        "Retrieval by size of the knowledge base, query embedding included",
        lines,
        x_label="chunks",
        y_label="milliseconds",
        limit=TARGET_MS,
    )
    (reports() / "speed.svg").write_text(chart, encoding="utf-8")


def figures_of(rows: Sequence[Row], *, queries: int) -> list[Figure]:
    """Every number."""
    figures = [
        Figure(f"speed/{row['chunks']:.0f} {name}", value, queries)
        for row in rows
        for name, value in row.items()
        if name != "chunks"
    ]
    memory = memory_per_100k(rows)
    if memory is not None:
        figures.append(Figure("speed/memory_mb_per_100k", memory, len(rows)))
    return figures


def keep(rows: Sequence[Row], *, queries: int) -> None:
    """Write and record what is there."""
    write_reports(rows)
    record("speed", figures_of(rows, queries=queries))


def main(sizes: Sequence[int], *, build_s: float, queries: int, busy_s: float) -> None:
    """Build what is missing, measure, print and write."""
    rows: list[Row] = []
    for chunks in sorted(sizes):
        built = build(chunks, at_most_s=build_s)
        if not built.complete:
            print(f"{chunks:,} chunks: {built.texts} of {built.wanted} texts built; run again")
            continue
        row = {"chunks": float(chunks), "build_s": built.seconds}
        rows.append(row | measure(chunks, queries=queries))
        print(json.dumps(rows[-1]), flush=True)
        # Kept at once: a larger size can take long.
        keep(rows, queries=queries)
    if not rows:
        raise SystemExit("No size is built yet; give more time with --build, or run again.")
    small_enough = [row for row in rows if row["chunks"] <= BUSY_SIZE]
    if busy_s and small_enough:
        small_enough[-1] |= busy.measure(int(small_enough[-1]["chunks"]), seconds=busy_s)
        keep(rows, queries=queries)
    print(report_table(rows))
    memory = memory_per_100k(rows)
    if memory is not None:
        print(f"memory for 100,000 chunks more: {memory:,.0f} MB")
    print(f"throughput is measured with 1 and {THREADS} threads; the rest with one")


def _json_of(command: Sequence[str]) -> Row:
    return json.loads(_output_of(command))


def _output_of(command: Sequence[str]) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:4])} ended with {done.returncode}.")
    return done.stdout.strip().splitlines()[-1]


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}" if value < 1_000 else f"{value:,.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*")
    parser.add_argument("--build", type=float, default=240.0, metavar="SECONDS")
    parser.add_argument(
        "--queries", type=int, default=30 if quick() else DEFAULT_QUERIES, metavar="N"
    )
    parser.add_argument(
        "--busy",
        type=float,
        default=6.0 if quick() else busy.DEFAULT_SECONDS,
        metavar="SECONDS",
        help="how long to ask while documents are taken in; 0 leaves that out",
    )
    given = parser.parse_args()
    main(
        given.sizes or (QUICK_SIZES if quick() else DEFAULT_SIZES),
        build_s=given.build,
        queries=given.queries,
        busy_s=given.busy,
    )
