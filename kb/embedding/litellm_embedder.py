"""Embedding through any provider that litellm reaches."""

import os
import re
from collections.abc import Sequence
from typing import Any

from kb.config import EmbeddingConfig
from kb.embedding.embedder import EmbedderKind, Vectors, WeightsFolder
from kb.errors import KnowledgeBaseError

_PREFIX = "litellm/"
_BATCH_ROWS = 64
_PIECE = re.compile(r"\w{1,4}|[^\w\s]")


class LiteLLMEmbedder:
    """A remote embedding model by its litellm name, e.g. `openai/text-embedding-3-small`."""

    def __init__(
        self, model: str, *, api_base: str | None = None, api_key_variable: str | None = None
    ) -> None:
        self._model = model
        self._api_base = api_base
        self._key_variable = api_key_variable
        self.tokenizer = PieceTokenizer()

    @property
    def model_id(self) -> str:
        """The provider's name of the model."""
        return f"{_PREFIX}{self._model}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed in batches.

        Raises:
            KnowledgeBaseError: The provider refused or did not answer.
        """
        import numpy as np

        rows = [
            row
            for start in range(0, len(texts), _BATCH_ROWS)
            for row in self._embed_batch(texts[start : start + _BATCH_ROWS])
        ]
        vectors: Vectors = np.asarray(rows, dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries: providers take them like any text."""
        return self.embed(texts)

    def _key(self, litellm: Any) -> str | None:
        """What the endpoint gets; None for what litellm finds in the environment.

        Raises:
            KnowledgeBaseError: The named variable is not set.
        """
        if self._key_variable is None:
            return None
        key: str | None = litellm.get_secret_str(self._key_variable)
        if not key:
            raise KnowledgeBaseError(
                f"The embedding model {self._model!r} needs {self._key_variable} in the "
                "environment. Set it, or change `embedding.api_key_env`."
            )
        return key

    def _embed_batch(self, texts: Sequence[str]) -> list[list[float]]:
        os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        import litellm

        key = self._key(litellm)
        try:
            response: Any = litellm.embedding(  # pyright: ignore[reportUnknownMemberType]
                model=self._model, input=list(texts), api_base=self._api_base, api_key=key
            )
        except Exception as error:
            # litellm has no common base for what its providers raise.
            raise KnowledgeBaseError(
                f"Embedding with {self._model!r} failed ({type(error).__name__}). Check the "
                "provider's key and endpoint, or choose another `embedding.model`."
            ) from error
        return [item["embedding"] for item in response.data]


class PieceTokenizer:
    """Stands in for a remote model's tokenizer: pieces of words, never fewer than it would make."""

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Spans of at most four letters, and of each other sign."""
        return [match.span() for match in _PIECE.finditer(text)]


def _open(config: EmbeddingConfig, weights: WeightsFolder | None) -> LiteLLMEmbedder:
    del weights  # the model is not here
    return LiteLLMEmbedder(
        config.model.removeprefix(_PREFIX),
        api_base=config.api_base,
        api_key_variable=config.api_key_variable,
    )


LITELLM = EmbedderKind(lambda config: config.model.startswith(_PREFIX), _open)
