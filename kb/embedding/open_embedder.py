"""Which embedder a configuration means."""

import hashlib
import platform
import sys
from collections.abc import Sequence

from kb.config import EmbeddingConfig
from kb.embedding.derived import CentredEmbedder, JointEmbedder
from kb.embedding.embedder import Embedder, EmbedderKind, Tokenizer, Vectors, WeightsFolder
from kb.embedding.known import EMBEDDERS
from kb.weights.known_models import CATALOG

_TRAINED_WITH = {"multilingual-e5-small": ("query: ", "passage: ")}
"""Words before queries and documents, of models that the weights know."""
_CENTRED = frozenset({"multilingual-e5-small"})
"""Models whose vectors have much in common whatever the text is."""

_FOR_ENGLISH = "all-MiniLM-L6-v2"
FOR_ANY_LANGUAGE = f"{_FOR_ENGLISH}+multilingual-e5-small"
"""Finds across languages, and is nowhere worse in English, at three times the processor time."""


def runs_any_language() -> bool:
    """Return whether the package that brings the weights for any language is made for here."""
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def chosen_embedding(
    config: EmbeddingConfig,
    query_languages: Sequence[str],
    *,
    built_with: str | None,
    any_language: bool,
) -> EmbeddingConfig:
    """Return `config` with a model: the one it names, or else the one that fits best.

    Of the two that are chosen between, a knowledge base stays with the one that it was built with:
    nothing is computed anew because an agent learned a language or a release changed its mind.

    Args:
        config: As it was given.
        query_languages: Tags of the languages that questions come in.
        built_with: Id of the model that the index was built with, None where nothing is indexed.
        any_language: Whether the model for any language can run here.
    """
    named = config.model_fields_set - {"runtime", "threads"}
    if named or not config.runtime.startswith("onnx"):
        return config
    if built_with is not None:
        needed = "+" in built_with
    else:
        needed = any(tag.split("-")[0].casefold() != "en" for tag in query_languages)
        needed = needed and any_language
    return config.model_copy(update={"model": FOR_ANY_LANGUAGE if needed else _FOR_ENGLISH})


def open_embedder(
    config: EmbeddingConfig,
    weights: WeightsFolder | None = None,
    *,
    kinds: Sequence[EmbedderKind] = EMBEDDERS,
) -> Embedder:
    """Make the embedder that `config` names. Models are loaded on first use.

    Args:
        config: Which model, and how it runs.
        weights: Where local models lie; None for the user's cache folder.
        kinds: What there is to choose from. The first that takes `config` makes the embedder.

    Raises:
        WeightsError: The model's files are missing, or this runtime cannot run them or is not
            installed.
    """
    joined = config.model.split("+")
    if len(joined) > 1 and set(joined) <= CATALOG.keys():
        each = (config.model_copy(update={"model": name}) for name in joined)
        return JointEmbedder([open_embedder(one, weights, kinds=kinds) for one in each])
    embedder = next(kind for kind in kinds if kind.takes(config)).open(config, weights)
    given = (config.query_prefix, config.document_prefix)
    query, document = given if any(given) else _TRAINED_WITH.get(config.model, given)
    if query or document:
        embedder = PrefixingEmbedder(embedder, query=query, document=document)
    return CentredEmbedder(embedder) if config.model in _CENTRED else embedder


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
