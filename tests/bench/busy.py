"""How long queries take while documents are taken in: by another process, and by this one.

    python -m tests.bench.busy CHUNKS [SECONDS]

Works on a copy of a knowledge base of `tests.bench.synthetic`. The writer takes in texts in
batches, with embedding, and publishes after each, so that readers have to open anew.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from kb.knowledge_base import KnowledgeBase
from tests.bench.data import Task
from tests.bench.probe import bench_tasks, timed
from tests.bench.retrieval import bench_config
from tests.bench.synthetic import directory_of, synthetic_text

DEFAULT_SECONDS = 20.0
_TEXTS_AT_ONCE = 20
_FIRST_NEW = 10_000_000
"""Texts from this number on are in no knowledge base yet."""
_PAUSE_S = 0.05
"""Between two queries: a busy agent, not a benchmark loop that starves the writer."""


def take_in(kb: KnowledgeBase, stop: threading.Event) -> int:
    """Add batches of texts until told to stop; returns how many were published."""
    published = 0
    while not stop.is_set():
        first = _FIRST_NEW + published * _TEXTS_AT_ONCE
        numbers = range(first, first + _TEXTS_AT_ONCE)
        kb.add_texts([(f"text {number}", synthetic_text(number)) for number in numbers])
        published += 1
    return published


def ask(kb: KnowledgeBase, tasks: Sequence[Task], *, seconds: float) -> list[float]:
    """Milliseconds of queries, one after the other, for so long."""
    took: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        task = tasks[len(took) % len(tasks)]
        took.append(timed(kb, task.query, task.history))
        time.sleep(_PAUSE_S)
    return took


def while_this_process_ingests(directory: Path, *, seconds: float) -> list[float]:
    """Reader and writer are one knowledge base in two threads."""
    stop = threading.Event()
    with KnowledgeBase.open(directory, bench_config()) as kb:
        kb.retrieve("warm up")
        writer = threading.Thread(target=take_in, args=(kb, stop))
        writer.start()
        try:
            return ask(kb, bench_tasks(100), seconds=seconds)
        finally:
            stop.set()
            writer.join()


def while_another_process_ingests(directory: Path, *, seconds: float) -> list[float]:
    """The writer is a process that runs `python -m tests.bench.busy --write`."""
    command = [sys.executable, "-m", "tests.bench.busy", "--write", str(directory)]
    with KnowledgeBase.open(directory, bench_config(), read_only=True) as kb:
        kb.retrieve("warm up")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            # It says a line when its model is loaded.
            if writer.stdout is None or not writer.stdout.readline():
                raise RuntimeError(f"The writer on {str(directory)!r} ended before it began.")
            took = ask(kb, bench_tasks(100), seconds=seconds)
            writer.communicate(b"stop\n", timeout=120)
    return took


def write_until_told(directory: Path) -> None:
    """The other process: takes in texts until a line comes in."""
    stop = threading.Event()
    with KnowledgeBase.open(directory, bench_config()) as kb:
        kb.add_text("warm up", "This text only has the model loaded.")
        print("ready", flush=True)
        threading.Thread(target=lambda: (sys.stdin.readline(), stop.set())).start()
        take_in(kb, stop)


@contextmanager
def copy_of(directory: Path) -> Iterator[Path]:
    """A copy that may be written to."""
    with tempfile.TemporaryDirectory(prefix="vivavoce-busy-") as folder:
        copy = Path(folder) / "kb"
        shutil.copytree(directory, copy)
        yield copy


def measure(chunks: int, *, seconds: float) -> dict[str, float]:
    """Percentiles of both."""
    found: dict[str, float] = {}
    for name, run in (
        ("other_process", while_another_process_ingests),
        ("same_process", while_this_process_ingests),
    ):
        with copy_of(directory_of(chunks)) as copy:
            took = run(copy, seconds=seconds)
        for share in (50, 95, 100):
            found[f"{name}_p{share}_ms"] = float(np.quantile(took, share / 100))
        found[f"{name}_n"] = len(took)
    return found


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write_until_told(Path(sys.argv[2]))
    else:
        limit = float(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_SECONDS
        print(json.dumps(measure(int(sys.argv[1]), seconds=limit)))
