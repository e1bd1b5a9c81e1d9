"""Retrieval quality of the default configuration on every set, beside its parts and baselines.

    python -m tests.bench.retrieval [SET ...]

All rankings use the same chunks and vectors. Texts are ranked by their best chunk.
"""

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kb.config import KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.embedding.embedder import Embedder
from kb.knowledge_base import KnowledgeBase
from tests.bench.data import COLLECTIONS, Collection, Task, load_collection
from tests.bench.embedders import remembering
from tests.bench.figures import mean_figure, record
from tests.bench.measures import interval, mean, ndcg, recall, reciprocal_rank
from tests.bench.places import datasets, quick, store

DEFAULT_SETS = (
    "xquad",
    "xquad_de",
    "xquad_zh",
    "xquad_de_en",
    "helpcentre",
    "mtrag",
    "dstc10",
    "scifact",
)
QUICK_SETS = ("xquad", "helpcentre")
_DEPTH = 60
Ranker = Callable[[Task], list[str]]


def bench_config(**retrieval: float) -> KnowledgeBaseConfig:
    """No limits; every chunk is a passage, so that rankings can be compared with others'."""
    return KnowledgeBaseConfig(
        limits=Limits(max_documents=None, max_total_bytes=None),
        retrieval=RetrievalConfig.model_validate(
            {"merge_chars": 1, "duplicate_overlap": 1.0, **retrieval}
        ),
    )


def open_collection(
    collection: Collection, config: KnowledgeBaseConfig, *, embedder: Embedder | None = None
) -> KnowledgeBase:
    """The knowledge base of a set; filled the first time, kept for the next run.

    One that is cut or embedded in another way is another one.
    """
    made_by = f"{config.chunking.model_dump_json()}{config.embedding.model_dump_json()}"
    name = f"{collection.name}_{hashlib.sha256(made_by.encode()).hexdigest()[:8]}"
    embedder = embedder or remembering(config.embedding)
    directory = store() / "kb" / name
    kb = KnowledgeBase(directory, config, embedder=lambda: embedder, read_only=False)
    if len(kb.documents()) != len(collection.texts):
        kb.add_texts(collection.texts.items())
    return kb


def ranker(kb: KnowledgeBase, *, use_history: bool = True, words_alone: bool = False) -> Ranker:
    """Names of texts by their best passage."""
    search = kb.retrieve_lexical if words_alone else kb.retrieve

    def rank(task: Task) -> list[str]:
        history = task.history if use_history else ()
        passages = search(task.query, history=history, limit=_DEPTH)
        return list(dict.fromkeys(passage.document_name for passage in passages))

    return rank


def quality(tasks: Sequence[Task], rank: Ranker) -> dict[str, list[float]]:
    """Measures of each task that has an answer."""
    found = [(task.relevant, rank(task)) for task in tasks if task.relevant]
    return {
        "nDCG@10": [ndcg(relevant, texts) for relevant, texts in found],
        "R@5": [recall(relevant, texts) for relevant, texts in found],
        "MRR@10": [reciprocal_rank(relevant, texts) for relevant, texts in found],
    }


def best_scores(kb: KnowledgeBase, tasks: Sequence[Task]) -> dict[bool, list[float]]:
    """Score of the best passage of turns that a text answers, and of those that none does."""
    scores: dict[bool, list[float]] = {True: [], False: []}
    for task in tasks:
        if task.answerable is not None:
            passages = kb.retrieve(task.query, history=task.history, limit=1)
            scores[task.answerable].append(passages[0].score if passages else 0.0)
    return scores


def main(names: Sequence[str], folder: Path) -> None:
    """Print one line a set and variant."""
    print(f"{'set':<15}{'n':>5}  {'nDCG@10':<24}{'R@5':>7}{'MRR@10':>8}{'ms/query':>10}")
    for name in names:
        collection = load_collection(name, folder)
        with open_collection(collection, bench_config()) as kb:
            measured = report(collection.name, collection.tasks, ranker(kb))
            record(
                "retrieval",
                [mean_figure(f"retrieval/{name} {what}", held) for what, held in measured.items()],
            )
            words = report(f"{name} words", collection.tasks, ranker(kb, words_alone=True))
            record(
                "retrieval",
                [
                    mean_figure(f"retrieval/{name} words {what}", held)
                    for what, held in words.items()
                ],
            )
            if any(task.history for task in collection.tasks):
                report(f"{name} last", collection.tasks, ranker(kb, use_history=False))


def report(label: str, tasks: Sequence[Task], rank: Ranker) -> dict[str, list[float]]:
    """Measure and print one line."""
    started = time.perf_counter()
    measured = quality(tasks, rank)
    count = len(measured["R@5"])
    milliseconds = (time.perf_counter() - started) / max(count, 1) * 1e3
    low, high = interval(measured["nDCG@10"])
    print(
        f"{label:<15}{count:>5}  {mean(measured['nDCG@10']):.4f} [{low:.3f}, {high:.3f}]    "
        f"{mean(measured['R@5']):>7.4f}{mean(measured['MRR@10']):>8.4f}{milliseconds:>10.1f}",
        flush=True,
    )
    return measured


if __name__ == "__main__":
    chosen = sys.argv[1:] or (QUICK_SETS if quick() else DEFAULT_SETS)
    unknown = set(chosen) - COLLECTIONS.keys()
    if unknown:
        sys.exit(f"no such set: {', '.join(sorted(unknown))}; there are {', '.join(COLLECTIONS)}")
    main(chosen, datasets())
