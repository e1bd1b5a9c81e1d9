"""Exact nearest neighbours in memory.

The check of the approximate index, and better than it while a knowledge base is small.
"""

from collections.abc import Sequence

from kb.embedding.embedder import Vectors
from kb.index.catalog import Catalog
from kb.index.embedding_cache import EmbeddingCache


class ExactIndex:
    """Every vector of one published version. Read only, so safe to share between threads."""

    def __init__(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._ids = list(ids)
        self._vectors = vectors
        self._places = {chunk_id: place for place, chunk_id in enumerate(ids)}

    def count(self) -> int:
        """Number of vectors held."""
        return len(self._ids)

    def search(self, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each query vector the nearest ids with their cosine, best first."""
        if not self._ids or limit < 1:
            return [[] for _ in vectors]
        cosines = vectors @ self._vectors.T
        return [self._best(row, limit) for row in cosines]

    def held(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Vectors of those of these ids that are here."""
        return {
            chunk_id: self._vectors[self._places[chunk_id]]
            for chunk_id in ids
            if chunk_id in self._places
        }

    def _best(self, cosines: Vectors, limit: int) -> list[tuple[str, float]]:
        import numpy as np

        if limit < len(cosines):
            best = np.argpartition(-cosines, limit - 1)[:limit]
        else:
            best = np.arange(len(cosines))
        ordered = best[np.argsort(-cosines[best], kind="stable")]
        return [(self._ids[int(place)], float(cosines[place])) for place in ordered]


def load_vectors(catalog: Catalog, cache: EmbeddingCache) -> tuple[list[str], Vectors]:
    """Ids and vectors of the chunks in the index whose vectors were kept, by chunk id."""
    import numpy as np

    keys = catalog.live_keys()
    held = cache.held([key for _, key in keys], model_id=catalog.meta("model_id") or "")
    ids = [chunk_id for chunk_id, key in keys if key in held]
    rows = [held[key] for _, key in keys if key in held]
    return ids, np.stack(rows) if rows else np.empty((0, 0), dtype=np.float32)
