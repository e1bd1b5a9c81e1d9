"""Catalog -> vector index: publish what is pending, check it, build it anew beside when needed."""

import random
from collections.abc import Sequence
from typing import Protocol

from kb.config import IndexConfig
from kb.embedding.embedder import Embedder, Vectors
from kb.index.catalog import Catalog
from kb.index.catalog_words import join_segments
from kb.index.embedding_cache import Counter, EmbeddingCache

_BATCH = 2_000
_RECALL_DEPTH = 10
_SAME_COSINE = 0.9999
DIMENSION = "dimension"
"""Key of the catalog: how long the vectors in the index are."""


class _OtherDimensionError(Exception):
    """A model gave vectors of another length than before under the same name."""


class NearestVectors(Protocol):
    """Nearest neighbours by cosine."""

    def search(self, vectors: Vectors, *, limit: int) -> list[list[tuple[str, float]]]:
        """For each query vector the nearest ids with their cosine, best first."""
        ...


class VectorIndex(NearestVectors, Protocol):
    """Nearest neighbours that can be changed."""

    def count(self) -> int:
        """Number of vectors held."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add vectors; ids that are there already are left as they are."""
        ...

    def delete(self, ids: Sequence[str]) -> None:
        """Delete vectors; ids that are not there are passed over."""
        ...


class VectorCollections(Protocol):
    """A place that holds vector indexes by name."""

    def collection(self, name: str, *, ef_search: int) -> VectorIndex:
        """The index `name`, created empty when absent."""
        ...

    def delete_collection(self, name: str) -> None:
        """Delete an index; does nothing when there is none of this name."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class IndexPublisher:
    """Brings the vector index to what the catalog says. The caller holds the writer lock."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        cache: EmbeddingCache,
        embedder: Embedder,
        collections: VectorCollections,
        config: IndexConfig,
        ef_search: int,
    ) -> None:
        self._catalog = catalog
        self._cache = cache
        self._embedder = embedder
        self._collections = collections
        self._config = config
        self._ef_search = ef_search
        held = catalog.meta(DIMENSION)
        self._dimension = int(held) if held is not None else None
        self.embedded = 0
        """Texts whose vectors had to be computed by this publisher."""

    def is_needed(self) -> bool:
        """Whether the vector index differs from the catalog, or was built with another model."""
        built_with = self._catalog.meta("model_id")
        if built_with is not None and built_with != self._embedder.model_id:
            return True
        return bool(self._catalog.pending_vectors())

    def publish(self, *, on_embedded: Counter | None = None) -> int:
        """Apply what is pending, check the index and count up `index_version`; returns it.

        Safe to repeat after a crash at any point: adding and deleting are idempotent, and pending
        rows go away only together with the new version.
        """
        if self._catalog.meta("model_id") not in (None, self._embedder.model_id):
            return self._finish(self._rebuild(on_embedded))
        name = self._catalog.meta("collection") or self._next_name()
        try:
            index = self._collections.collection(name, ef_search=self._ef_search)
            self._apply_pending(index, on_embedded)
            if self._must_rebuild(index):
                name = self._rebuild(on_embedded)
        except _OtherDimensionError:
            # The model behind the name was exchanged: nothing it made before can be compared.
            self._cache.forget(self._embedder.model_id)
            name = self._rebuild(on_embedded)
        return self._finish(name)

    def rebuild(self, *, on_embedded: Counter | None = None) -> int:
        """Build the whole vector index anew and switch to it; returns the new version."""
        if self._dimension not in (None, self._embedder.embed(["length"]).shape[1]):
            self._cache.forget(self._embedder.model_id)
        return self._finish(self._rebuild(on_embedded))

    def self_recall(self, index: VectorIndex) -> float:
        """Share of sampled vectors that the index finds when it is asked for them."""
        keys = self._catalog.live_keys()
        if not keys:
            return 1.0
        # The sample depends on the content alone, so that a run can be repeated.
        drawn = random.Random(len(keys)).sample(
            keys, min(len(keys), self._config.self_recall_samples)
        )
        vectors = self._vectors([chunk_id for chunk_id, _ in drawn], None)
        found = index.search(vectors, limit=min(_RECALL_DEPTH, len(keys)))
        hits = sum(
            any(found_id == chunk_id or cosine >= _SAME_COSINE for found_id, cosine in row)
            for (chunk_id, _), row in zip(drawn, found, strict=True)
        )
        return hits / len(drawn)

    def _apply_pending(self, index: VectorIndex, on_embedded: Counter | None) -> None:
        pending = self._catalog.pending_vectors()
        added = [chunk_id for chunk_id, operation in pending if operation == "add"]
        deleted = [chunk_id for chunk_id, operation in pending if operation == "delete"]
        for start in range(0, len(added), _BATCH):
            part = added[start : start + _BATCH]
            index.add(part, self._vectors(part, on_embedded))
        if deleted:
            index.delete(deleted)

    def _must_rebuild(self, index: VectorIndex) -> bool:
        live = self._catalog.live_count()
        if index.count() != live:
            return True
        deleted = self._catalog.deleted_since_rebuild()
        if deleted > self._config.rebuild_deleted_share * max(live, 1):
            return True
        return self.self_recall(index) < self._config.self_recall_floor

    def _rebuild(self, on_embedded: Counter | None) -> str:
        """Fill a new collection beside the present one; the old one stays until the next time."""
        name = self._next_name()
        self._dimension = None
        self._collections.delete_collection(name)
        index = self._collections.collection(name, ef_search=self._ef_search)
        ids = [chunk_id for chunk_id, _ in self._catalog.live_keys()]
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            index.add(part, self._vectors(part, on_embedded))
        return name

    def _finish(self, name: str) -> int:
        before = self._catalog.meta("collection")
        if self._dimension is not None:
            self._catalog.set_meta({DIMENSION: str(self._dimension)})
        join_segments(self._catalog.connection)
        version, dropped = self._catalog.finish_publish(name, model_id=self._embedder.model_id)
        if dropped is not None and dropped not in (name, before):
            self._collections.delete_collection(dropped)
        return version

    def _next_name(self) -> str:
        number = int(self._catalog.meta("collection_number") or 0) + 1
        return f"{self._config.collection_prefix}-{number}"

    def _vectors(self, chunk_ids: Sequence[str], on_embedded: Counter | None) -> Vectors:
        import numpy as np

        def count(done: int) -> None:
            self.embedded += done
            if on_embedded is not None:
                on_embedded(done)

        texts = self._catalog.indexed_texts(chunk_ids)
        by_key = {key: text for key, text in texts.values()}
        vectors = self._cache.vectors(by_key, embedder=self._embedder, on_embedded=count)
        dimensions = {len(vector) for vector in vectors.values()}
        if self._dimension is not None:
            dimensions.add(self._dimension)
        if len(dimensions) > 1:
            self._dimension = None
            raise _OtherDimensionError
        self._dimension = next(iter(dimensions), None)
        return np.stack([vectors[texts[chunk_id][0]] for chunk_id in chunk_ids])
