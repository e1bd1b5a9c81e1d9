"""What people would use instead, side by side: same machine, same model, same process.

    python -m tests.bench.comparison [SET ...]

* vivavoce        the default configuration
* Chroma          nearest chunks to the last turn, same chunks and vectors
* BM25            SQLite FTS5 on all words of the last turn, same chunks
* LlamaIndex      `VectorStoreIndex` with its default splitter, and the same model as embedding

Differences come with a 95 % bootstrap interval over the tasks.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kb.catalog import Catalog
from kb.chroma_index import ChromaClient
from kb.config import EmbeddingConfig, IndexConfig
from kb.embedding import open_embedder
from kb.lexical import Stemmer, search_chunks
from tests.bench.data import Collection, Task, load_collection
from tests.bench.measures import interval, mean
from tests.bench.places import datasets, store
from tests.bench.retrieval import Ranker, bench_config, open_collection, quality, ranker

DEFAULT_SETS = ("xquad", "helpcentre", "mtrag", "dstc10")
_DEPTH = 60


def chroma_ranker(folder: Path) -> Ranker:
    """Nearest chunks to the last turn."""
    catalog = Catalog(folder / "catalog.sqlite3", read_only=True)
    embedder = open_embedder(EmbeddingConfig())
    client = ChromaClient(folder / "chroma", IndexConfig())
    index = client.collection(catalog.meta("collection") or "", ef_search=400)

    def rank(task: Task) -> list[str]:
        found = index.search(embedder.embed_queries([task.query]), limit=_DEPTH)[0]
        rows = catalog.rows_of_chunks([chunk_id for chunk_id, _ in found])
        return _names(catalog, [rows[chunk_id] for chunk_id, _ in found])

    return rank


def bm25_ranker(folder: Path) -> Ranker:
    """Chunks that hold words of the last turn."""
    catalog = Catalog(folder / "catalog.sqlite3", read_only=True)
    stemmer = Stemmer()

    def rank(task: Task) -> list[str]:
        words = {stem: word for word, stem in stemmer.stems(task.query)}
        return _names(catalog, search_chunks(catalog.connection, words.values(), limit=_DEPTH))

    return rank


def llama_index_ranker(collection: Collection) -> Ranker:
    """LlamaIndex as its documentation starts: documents in, retriever out."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding

    embedder = open_embedder(EmbeddingConfig())

    class SameModel(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return embedder.embed(texts).tolist()

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    documents = [
        Document(text=text, metadata={"name": name}, excluded_embed_metadata_keys=["name"])
        for name, text in collection.texts.items()
    ]
    index: Any = VectorStoreIndex.from_documents(documents, embed_model=SameModel())
    retriever = index.as_retriever(similarity_top_k=20)

    def rank(task: Task) -> list[str]:
        return list(dict.fromkeys(node.metadata["name"] for node in retriever.retrieve(task.query)))

    return rank


def main(names: Sequence[str], folder: Path) -> None:
    """Print a block for each set."""
    for name in names:
        collection = load_collection(name, folder)
        with open_collection(collection, bench_config()) as kb:
            systems: dict[str, Callable[[], Ranker]] = {
                "vivavoce": lambda kb=kb: ranker(kb),
                "Chroma": lambda kb=kb: chroma_ranker(kb.directory),
                "BM25": lambda kb=kb: bm25_ranker(kb.directory),
                "LlamaIndex": lambda collection=collection: llama_index_ranker(collection),
            }
            print(f"\n{name}\n{'':<12}{'nDCG@10':>9}{'R@5':>8}{'MRR@10':>8}{'build s':>9}{'ms':>7}")
            ours: list[float] = []
            for label, make in systems.items():
                started = time.perf_counter()
                rank = make()
                built = time.perf_counter()
                measured = quality(collection.tasks, rank)
                seconds = time.perf_counter() - built
                gains = measured["nDCG@10"]
                ours = ours or gains
                low, high = interval([a - b for a, b in zip(ours, gains, strict=True)])
                ahead = "" if ours is gains else f"   we are ahead by [{low:+.3f}, {high:+.3f}]"
                print(
                    f"{label:<12}{mean(gains):>9.4f}{mean(measured['R@5']):>8.4f}"
                    f"{mean(measured['MRR@10']):>8.4f}{built - started:>9.1f}"
                    f"{seconds / len(gains) * 1e3:>7.1f}{ahead}",
                    flush=True,
                )


def _names(catalog: Catalog, row_ids: Sequence[int]) -> list[str]:
    rows = catalog.chunks_by_row(row_ids)
    return list(dict.fromkeys(rows[row_id].document_name for row_id in row_ids if row_id in rows))


if __name__ == "__main__":
    store().mkdir(parents=True, exist_ok=True)
    main(sys.argv[1:] or DEFAULT_SETS, datasets())
