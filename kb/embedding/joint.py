"""Several models as one: the cosine is the mean of theirs, in one index and one search."""

from collections.abc import Sequence

import numpy as np

from kb.embedding.embedder import Embedder, Tokenizer, Vectors


class JointEmbedder:
    """Puts the vectors of several models side by side, each with the same weight.

    Queries that one of them cannot read are left to the others.
    """

    def __init__(self, embedders: Sequence[Embedder]) -> None:
        """Join `embedders`; chunks are bounded in the tokens of the first."""
        self._embedders = tuple(embedders)

    @property
    def model_id(self) -> str:
        """Of all of them, in order."""
        return "+".join(embedder.model_id for embedder in self._embedders)

    @property
    def tokenizer(self) -> Tokenizer:
        """The first model's tokenizer."""
        return self._embedders[0].tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents."""
        return _side_by_side([embedder.embed(texts) for embedder in self._embedders])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries."""
        return _side_by_side([embedder.embed_queries(texts) for embedder in self._embedders])


def _side_by_side(parts: Sequence[Vectors]) -> Vectors:
    joined = np.concatenate(parts, axis=1)
    lengths = np.linalg.norm(joined, axis=1, keepdims=True)
    lengths[lengths == 0.0] = 1.0
    return joined / lengths
