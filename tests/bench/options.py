"""What the optional parts of retrieval bring, and what they cost.

    python -m tests.bench.options [OPTION ...]

* precision     the model in 32-bit floats instead of 8-bit integers
* reranker      a cross-encoder over the best candidates
* multilingual  a multilingual embedder, for questions in other languages (`xquad`)

Each is compared with the default over the same tasks: difference of nDCG@10 with a 95 % bootstrap
interval, milliseconds a query, chunks embedded a second. An option whose model is not on this
machine is named and left out; `--reranker NAME` and `--multilingual NAME` say which model to take.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kb.config import EmbeddingConfig, KnowledgeBaseConfig, RerankerConfig, RetrievalConfig
from kb.embedding.open_embedder import open_embedder
from kb.errors import WeightsError
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.reranking import Reranker, open_reranker
from kb.weights.known_models import CATALOG
from tests.bench.data import Collection, Task, load_collection, sampled, xquad_across
from tests.bench.embedders import Remembering, remembering
from tests.bench.figures import Figure, mean_figure, record
from tests.bench.measures import interval, mean
from tests.bench.places import datasets, quick, reports
from tests.bench.retrieval import bench_config, open_collection, quality, ranker
from tests.bench.tables import markdown

OPTIONS = ("precision", "reranker", "multilingual")
RERANKER = "cross-encoder/ms-marco-MiniLM-L6-v2"
MULTILINGUAL = "multilingual-e5-small"
_E5 = {"query_prefix": "query: ", "document_prefix": "passage: "}
_LANGUAGES = ("es", "de", "zh")
_TASKS = 200
_EMBEDDED = 200
_WARM_UP = ("This text only has the model loaded.",)


@dataclass(frozen=True, slots=True)
class Side:
    """The default or the option, on one set."""

    ndcg: list[float]
    query_ms: float
    """Median."""
    chunks_per_s: float
    """Embedding alone."""


def measure(
    collection: Collection, config: KnowledgeBaseConfig, *, reranker: Reranker | None = None
) -> Side:
    """One side of a comparison."""
    tasks = sampled([task for task in collection.tasks if task.relevant], _TASKS)
    embedder = remembering(config.embedding)
    with _open(collection, config, embedder, reranker) as kb:
        kb.retrieve("warm up")
        gains = quality(tasks, ranker(kb))["nDCG@10"]
        took = [_timed(kb, task) for task in tasks[:50]]
    return Side(gains, float(np.median(took)), _chunks_per_s(config.embedding, collection))


def _open(
    collection: Collection,
    config: KnowledgeBaseConfig,
    embedder: Remembering,
    reranker: Reranker | None,
) -> KnowledgeBase:
    kb = open_collection(collection, config, embedder=embedder)
    if reranker is None:
        return kb
    directory = kb.directory
    kb.close()
    return KnowledgeBase(
        directory, config, embedder=lambda: embedder, reranker=lambda: reranker, read_only=True
    )


def _timed(kb: KnowledgeBase, task: Task) -> float:
    started = time.perf_counter()
    kb.retrieve(task.query, history=task.history)
    return (time.perf_counter() - started) * 1e3


def _chunks_per_s(config: EmbeddingConfig, collection: Collection) -> float:
    embedder = open_embedder(config)
    embedder.embed(_WARM_UP)
    texts = [text[:400] for text in collection.texts.values()][:_EMBEDDED]
    started = time.perf_counter()
    embedder.embed(texts)
    return len(texts) / (time.perf_counter() - started)


def precision(folder: Path) -> list[tuple[str, Side, Side]]:
    """8-bit against 32-bit."""
    names = ("xquad",) if quick() else ("xquad", "helpcentre", "mtrag")
    exact = bench_config().model_copy(update={"embedding": EmbeddingConfig(runtime="onnx_fp32")})
    return [
        (f"{name}, fp32", measure(collection, bench_config()), measure(collection, exact))
        for name in names
        for collection in [load_collection(name, folder)]
    ]


def reranked(folder: Path, model: str) -> list[tuple[str, Side, Side]]:
    """With and without a cross-encoder."""
    names = ("xquad",) if quick() else ("scifact", "mtrag", "dstc10", "helpcentre")
    chosen = RerankerConfig(model=model)
    reranker = open_reranker(chosen)
    reranker.score("warm up", _WARM_UP)
    retrieval = bench_config().retrieval.model_dump() | {"reranker": chosen}
    config = bench_config().model_copy(
        update={"retrieval": RetrievalConfig.model_validate(retrieval)}
    )
    return [
        (
            f"{name}, reranked",
            measure(collection, bench_config()),
            measure(collection, config, reranker=reranker),
        )
        for name in names
        for collection in [load_collection(name, folder)]
    ]


def multilingual(folder: Path, model: str) -> list[tuple[str, Side, Side]]:
    """Questions in other languages about English texts."""
    prefixes = _E5 if "e5" in model else {}
    runtime = "onnx_int8" if Path(model).is_dir() or model in CATALOG else "torch"
    embedding = EmbeddingConfig.model_validate({"model": model, "runtime": runtime} | prefixes)
    open_embedder(embedding).embed(_WARM_UP)
    config = bench_config().model_copy(update={"embedding": embedding})
    return [
        (
            f"xquad {language} -> en, multilingual",
            measure(collection, bench_config()),
            measure(collection, config),
        )
        for language in ("en", *_LANGUAGES)
        for collection in [xquad_across(folder, language=language)]
    ]


def table(rows: Sequence[tuple[str, Side, Side]]) -> str:
    """Gain and cost as Markdown."""
    cells = [
        ["set, option", "n", "nDCG@10", "with it", "gain", "query ms", "with it",
         "chunks/s", "with it"]
    ]  # fmt: skip
    for name, before, after in rows:
        gains = [b - a for a, b in zip(before.ndcg, after.ndcg, strict=True)]
        low, high = interval(gains)
        cells.append([
            name,
            f"{len(gains)}",
            f"{mean(before.ndcg):.4f}",
            f"{mean(after.ndcg):.4f}",
            f"{mean(gains):+.4f} [{low:+.4f}, {high:+.4f}]",
            f"{before.query_ms:.1f}",
            f"{after.query_ms:.1f}",
            f"{before.chunks_per_s:.0f}",
            f"{after.chunks_per_s:.0f}",
        ])  # fmt: skip
    return markdown(cells)


def main(options: Sequence[str], *, reranker: str, embedder: str) -> None:
    """Print what each option that can run here brings."""
    folder = datasets()
    runs: dict[str, Callable[[], list[tuple[str, Side, Side]]]] = {
        "precision": lambda: precision(folder),
        "reranker": lambda: reranked(folder, reranker),
        "multilingual": lambda: multilingual(folder, embedder),
    }
    parts: list[str] = []
    for option in options:
        try:
            rows = runs[option]()
        except (WeightsError, OSError) as error:
            reason = str(error).splitlines()[0]
            parts.append(f"{option}: not measured, its model is not here ({reason})")
        else:
            parts.append(table(rows))
            record("options", [figure for row in rows for figure in _figures(row)])
        print(f"\n{parts[-1]}", flush=True)
    (reports() / "options.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _figures(row: tuple[str, Side, Side]) -> list[Figure]:
    name, before, after = row
    gains = [b - a for a, b in zip(before.ndcg, after.ndcg, strict=True)]
    return [
        mean_figure(f"options/{name} nDCG@10", after.ndcg),
        mean_figure(f"options/{name} gain", gains),
        Figure(f"options/{name} query_ms", after.query_ms, len(gains)),
        Figure(f"options/{name} chunks_per_s", after.chunks_per_s, _EMBEDDED),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("options", nargs="*", metavar="OPTION", help=", ".join(OPTIONS))
    parser.add_argument("--reranker", default=RERANKER, metavar="NAME")
    parser.add_argument("--multilingual", default=MULTILINGUAL, metavar="NAME")
    given = parser.parse_args()
    if set(given.options) - set(OPTIONS):
        parser.error(f"there are {', '.join(OPTIONS)}")
    main(given.options or OPTIONS, reranker=given.reranker, embedder=given.multilingual)
