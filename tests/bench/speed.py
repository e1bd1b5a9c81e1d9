"""Time and memory of retrieval by size of the knowledge base.

    python -m tests.bench.speed [CHUNKS ...]

Texts are sentences of a measuring set put together anew; their vectors are drawn around those of
real chunks and put into the embedding cache, so that building is quick and the index is as hard to
search as a real one. Queries are real and embedded by the model. Writes `speed.csv` in the bench's
folder.
"""

import csv
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.chroma_index import ChromaClient
from kb.chunking import indexed_texts, split_document
from kb.config import ChunkingConfig, EmbeddingConfig
from kb.embedding import Tokenizer, Vectors, open_embedder
from kb.embedding_cache import EmbeddingCache, text_key
from kb.knowledge_base import KnowledgeBase
from kb.plain_structure import parse_text
from tests.bench.data import SaidTurn, load_collection
from tests.bench.places import datasets, store
from tests.bench.retrieval import bench_config

DEFAULT_SIZES = (1_000, 10_000)
_CHUNKS_PER_TEXT = 20
_SEEDS = 300
_SPREAD = 0.6
_QUERIES = 100
_COLD = """
import sys, time
started = time.perf_counter()
from kb.knowledge_base import KnowledgeBase
with KnowledgeBase.open(sys.argv[1], read_only=True) as kb:
    kb.retrieve("how do I pay?")
print(time.perf_counter() - started)
"""


def build(size: int, folder: Path) -> float:
    """Fill a knowledge base with about `size` chunks; returns the seconds that indexing took."""
    config = bench_config()
    passages = list(load_collection("mtrag", datasets()).texts.values())
    embedder = open_embedder(EmbeddingConfig())
    chance = random.Random(size)
    seeds = embedder.embed([text[:300] for text in chance.sample(passages, _SEEDS)])
    sentences = [part for text in passages for part in text.split(". ") if 40 < len(part) < 200]
    texts = [
        (
            f"text {number}",
            "\n\n".join(_paragraph(chance, sentences) for _ in range(_CHUNKS_PER_TEXT)),
        )
        for number in range(size // _CHUNKS_PER_TEXT)
    ]
    directory = folder / f"speed_{size}"
    with KnowledgeBase.open(directory, config) as kb:
        if kb.documents():
            return 0.0
        keys = _keys(texts, embedder.tokenizer, config.chunking)
        _fill_cache(directory / "embeddings.sqlite3", keys, seeds, model_id=embedder.model_id)
        started = time.perf_counter()
        kb.add_texts(texts)
        return time.perf_counter() - started


def _text(chance: random.Random, sentences: Sequence[str]) -> str:
    return "\n\n".join(_paragraph(chance, sentences) for _ in range(_CHUNKS_PER_TEXT))


def _paragraph(chance: random.Random, sentences: Sequence[str]) -> str:
    return ". ".join(chance.choices(sentences, k=4))[:390] + "."


def _keys(
    texts: Sequence[tuple[str, str]], tokenizer: Tokenizer, chunking: ChunkingConfig
) -> list[str]:
    keys: list[str] = []
    for name, text in texts:
        parsed = parse_text(text)
        chunks = split_document(parsed, document_id=name, tokenizer=tokenizer, config=chunking)
        held = indexed_texts(chunks, None, tokenizer=tokenizer, config=chunking)
        keys.extend(text_key(each) for each in held)
    return keys


def _fill_cache(path: Path, keys: Sequence[str], seeds: Vectors, *, model_id: str) -> None:
    generator = np.random.default_rng(0)
    cache = EmbeddingCache(path)
    for start in range(0, len(keys), 5_000):
        part = keys[start : start + 5_000]
        around = seeds[generator.integers(0, len(seeds), len(part))]
        noise = generator.standard_normal(around.shape) * _SPREAD / np.sqrt(around.shape[1])
        vectors = around + noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        cache.store(dict(zip(part, vectors.astype(np.float32), strict=True)), model_id=model_id)
    cache.close()


def measure(directory: Path) -> dict[str, float]:
    """Milliseconds of queries, recall of the index, cold start and memory."""
    tasks = [task for task in load_collection("mtrag", datasets()).tasks if task.relevant]
    with KnowledgeBase.open(directory, bench_config(), read_only=True) as kb:
        kb.retrieve("warm up")
        alone = [_timed(kb, task.query, ()) for task in tasks[:_QUERIES]]
        talked = [_timed(kb, task.query, task.history) for task in tasks[:_QUERIES]]
    cold = subprocess.run(
        [sys.executable, "-c", _COLD, str(directory)], check=True, capture_output=True, text=True
    )
    return {
        "query_p50_ms": float(np.quantile(alone, 0.5)),
        "query_p95_ms": float(np.quantile(alone, 0.95)),
        "turn_p50_ms": float(np.quantile(talked, 0.5)),
        "turn_p95_ms": float(np.quantile(talked, 0.95)),
        "index_recall_at_10": index_recall(directory, [task.query for task in tasks[:_QUERIES]]),
        "cold_s": float(cold.stdout),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def index_recall(directory: Path, queries: Sequence[str]) -> float:
    """Share of the ten exactly nearest chunks that the approximate index finds."""
    config = bench_config()
    embedder = open_embedder(EmbeddingConfig())
    with KnowledgeBase.open(directory, config, read_only=True) as kb:
        ids, matrix = kb.vectors()
    client = ChromaClient(directory / "chroma", config.index)
    index = client.collection("chunks-1", ef_search=config.retrieval.ef_search)
    vectors = embedder.embed_queries(list(queries))
    found = index.search(vectors, limit=10)
    client.close()
    hits = 0
    for vector, row in zip(vectors, found, strict=True):
        nearest = np.argsort(-(matrix @ vector))[:10]
        hits += len({ids[place] for place in nearest} & {chunk_id for chunk_id, _ in row})
    return hits / (10 * len(queries))


def _timed(kb: KnowledgeBase, query: str, history: Sequence[SaidTurn]) -> float:
    started = time.perf_counter()
    kb.retrieve(query, history=history)
    return (time.perf_counter() - started) * 1e3


def main(sizes: Sequence[int]) -> None:
    """Print and write one line a size."""
    folder = store() / "kb"
    rows: list[dict[str, float]] = []
    for size in sizes:
        seconds = build(size, folder)
        row = {"chunks": size, "index_s": seconds, **measure(folder / f"speed_{size}")}
        rows.append(row)
        print(", ".join(f"{name} {value:,.3g}" for name, value in row.items()), flush=True)
    with (store() / "speed.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or DEFAULT_SIZES)
