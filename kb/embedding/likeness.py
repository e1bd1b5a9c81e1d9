"""How alike texts are, by the embedding model of a knowledge base."""

from collections.abc import Sequence

from kb.embedding.embedder import Embedder


def cosines(embedder: Embedder, text: str, others: Sequence[str]) -> list[float]:
    """Cosine of `text` with each of `others`, -1 to 1; a text without a direction is like none."""
    import numpy as np

    if not others:
        return []
    vectors = embedder.embed_queries([text, *others])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    one, *rest = vectors / np.where(lengths > 0, lengths, 1.0)
    return [float(one @ each) for each in rest]
