"""Embedding with sentence-transformers: any of its models, on a GPU when there is one."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from kb.config import EmbeddingConfig
from kb.embedding.embedder import EmbedderKind, Vectors, WeightsFolder
from kb.embedding.model_folder import model_folder
from kb.embedding.torch_extra import require_torch
from kb.errors import WeightsError


class SentenceTransformersEmbedder:
    """A model by folder, or by the name that sentence-transformers knows it by."""

    def __init__(self, model: str, folder: Path | None = None) -> None:
        self._model = model
        self._folder = folder

    @property
    def model_id(self) -> str:
        """The model's name; a folder counts as the model it holds."""
        return f"sentence-transformers/{self._model}"

    @property
    def tokenizer(self) -> "OffsetTokenizer":
        """The model's tokenizer."""
        return self._offset_tokenizer

    @cached_property
    def _offset_tokenizer(self) -> "OffsetTokenizer":
        return OffsetTokenizer(self._loaded.tokenizer)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents, with the model's document prompt when it has one."""
        return self._encode(self._loaded.encode_document, texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries, with the model's query prompt when it has one."""
        return self._encode(self._loaded.encode_query, texts)

    def _encode(self, encode: Any, texts: Sequence[str]) -> Vectors:
        import numpy as np

        vectors = encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    @cached_property
    def _loaded(self) -> Any:
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(self._folder or self._model))
        except OSError as error:
            raise WeightsError(
                f"sentence-transformers cannot load {self._model!r}: {error}. Check the name, or "
                "give a folder that holds the model."
            ) from error


class OffsetTokenizer:
    """Spans from a transformers tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Character span of each token, special tokens left out."""
        return self._tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )["offset_mapping"]


def _open(config: EmbeddingConfig, weights: WeightsFolder | None) -> SentenceTransformersEmbedder:
    require_torch("`embedding.runtime: torch`")
    return SentenceTransformersEmbedder(config.model, model_folder(config.model, weights))


SENTENCE_TRANSFORMERS = EmbedderKind(lambda config: config.runtime == "torch", _open)
