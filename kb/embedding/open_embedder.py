"""Which embedder a configuration means."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from kb.config import EmbeddingConfig
from kb.embedding.embedder import Embedder, Tokenizer, Vectors, WeightsFolder
from kb.embedding.packed_e5 import unpacked
from kb.embedding.torch_extra import require_torch
from kb.errors import WeightsError

LITELLM_PREFIX = "litellm/"
_TRAINED_WITH = {"multilingual-e5-small": ("query: ", "passage: ")}
"""Words before queries and documents, of models that the weights know."""


def open_embedder(config: EmbeddingConfig, weights: WeightsFolder | None = None) -> Embedder:
    """Make the embedder that `config` names. Models are loaded on first use.

    Raises:
        WeightsError: The model's files are missing, or this runtime cannot run them or is not
            installed.
    """
    embedder = _open_model(config, weights)
    given = (config.query_prefix, config.document_prefix)
    query, document = given if any(given) else _TRAINED_WITH.get(config.model, given)
    if not query and not document:
        return embedder
    return PrefixingEmbedder(embedder, query=query, document=document)


class PrefixingEmbedder:
    """An embedder whose model was trained with words before each text."""

    def __init__(self, embedder: Embedder, *, query: str, document: str) -> None:
        self._embedder = embedder
        self._query = query
        self._document = document

    @property
    def model_id(self) -> str:
        """Of the model and of what precedes a document: other words give other vectors."""
        prefix = hashlib.sha256(self._document.encode()).hexdigest()[:8]
        return f"{self._embedder.model_id}/prefix-{prefix}"

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._embedder.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents."""
        return self._embedder.embed([self._document + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries."""
        return self._embedder.embed_queries([self._query + text for text in texts])


def _open_model(config: EmbeddingConfig, weights: WeightsFolder | None) -> Embedder:
    if config.model.startswith(LITELLM_PREFIX):
        from kb.embedding.litellm_embedder import LiteLLMEmbedder

        return LiteLLMEmbedder(
            config.model.removeprefix(LITELLM_PREFIX),
            api_base=config.api_base,
            api_key_variable=config.api_key_variable,
        )
    if config.runtime == "torch":
        require_torch("`embedding.runtime: torch`")
    folder = model_folder(config.model, weights)
    if config.runtime == "torch":
        from kb.embedding.sentence_transformers_embedder import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(config.model, folder)
    from kb.embedding.onnx_embedder import OnnxEmbedder

    if folder is None:
        raise WeightsError(
            f"No weights are known for embedding model {config.model!r}. Name a folder that holds "
            "it, or set `embedding.runtime: torch` to load it through sentence-transformers."
        )
    return OnnxEmbedder(
        config.model, folder, int8=config.runtime == "onnx_int8", threads=config.threads
    )


def model_folder(model: str, weights: WeightsFolder | None) -> Path | None:
    """Folder of a model given by path or by a name that the weights know, else None."""
    path = Path(model)
    if path.is_dir():
        return path
    if weights is None:
        from kb.weights.folder import Weights

        weights = Weights()
    return unpacked(weights.resolve(model)) if model in weights.models() else None
