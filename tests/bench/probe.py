"""One knowledge base looked at from a process of its own, so that memory and starts are true.

    python -m tests.bench.probe DIRECTORY [QUERIES]

Prints one line of JSON. Queries are those of a measuring set, embedded by the model.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from kb.embedding.open_embedder import open_embedder
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.query import SaidTurn
from tests.bench.data import Task, load_collection
from tests.bench.parsing import resident_bytes
from tests.bench.places import datasets
from tests.bench.retrieval import bench_config

DEFAULT_QUERIES = 100
THREADS = 16
_NEAREST = 10
_EVERYTHING = 10_000


def measure(directory: Path, tasks: Sequence[Task]) -> dict[str, float]:
    """Milliseconds, memory, throughput and recall of one knowledge base."""
    with KnowledgeBase.open(directory, bench_config(), read_only=True) as kb:
        kb.retrieve("warm up")
        alone = [clocked(kb, task.query, ()) for task in tasks]
        talked = [clocked(kb, task.query, task.history) for task in tasks]
        found = {
            f"{name}_p{100 * share:.0f}{what}_ms": value
            for name, taken in (("query", alone), ("turn", talked))
            for at, what in enumerate(("", "_cpu"))
            for share in (0.5, 0.95)
            for value in [float(np.quantile([pair[at] for pair in taken], share))]
        }
        found |= {
            "resident_mb": resident_bytes() / 2**20,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "queries_per_s": throughput(kb, tasks, threads=1),
            f"queries_per_s_{THREADS}_threads": throughput(kb, tasks, threads=THREADS),
        }
        return found | {"recall_at_10": index_recall(kb, [task.query for task in tasks])}


def clocked(kb: KnowledgeBase, query: str, history: Sequence[SaidTurn]) -> tuple[float, float]:
    """Milliseconds of one retrieval by the clock, and of the processor.

    What the processor spent does not grow with what else runs on the machine.
    """
    before = time.process_time()
    wall = timed(kb, query, history)
    return wall, (time.process_time() - before) * 1e3


def timed(kb: KnowledgeBase, query: str, history: Sequence[SaidTurn]) -> float:
    """Milliseconds of one retrieval."""
    started = time.perf_counter()
    kb.retrieve(query, history=history)
    return (time.perf_counter() - started) * 1e3


def throughput(kb: KnowledgeBase, tasks: Sequence[Task], *, threads: int) -> float:
    """Turns answered in a second by so many threads."""
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda task: timed(kb, task.query, task.history), tasks))
    return len(tasks) / (time.perf_counter() - started)


def index_recall(kb: KnowledgeBase, queries: Sequence[str]) -> float:
    """Share of the ten exactly nearest chunks that are the first ten of the ranking by meaning."""
    ids, matrix = kb.vectors()
    embedder = open_embedder(kb.config.embedding)
    hits = 0
    for query in queries:
        found = {
            passage.chunk_id
            for passage in kb.retrieve(query, limit=_EVERYTHING)
            if passage.ranks.get("dense_last", _NEAREST + 1) <= _NEAREST
        }
        vector = embedder.embed_queries([query])[0]
        nearest = np.argpartition(-(matrix @ vector), _NEAREST)[:_NEAREST]
        hits += len(found & {ids[place] for place in nearest})
    return hits / (_NEAREST * len(queries))


def bench_tasks(count: int) -> list[Task]:
    """Turns with what was said before them."""
    tasks = [task for task in load_collection("mtrag", datasets()).tasks if task.relevant]
    return tasks[:count]


def main(directory: Path, queries: int) -> None:
    """Print what was measured."""
    print(json.dumps(measure(directory, bench_tasks(queries))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_QUERIES)
