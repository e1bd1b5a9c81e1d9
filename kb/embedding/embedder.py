"""Text -> unit vectors: what an embedder is, and what it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kb.config import EmbeddingConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
else:
    # NumPy takes as long to load as a command that embeds nothing takes to answer.
    Vectors = Any
"""One row a text, each of length 1, so that the dot product is the cosine."""


class Tokenizer(Protocol):
    """How a model cuts text into what it reads."""

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        """Character span of each token of `text`, in order, without special tokens."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how near they are in meaning."""

    @property
    def model_id(self) -> str:
        """Names model, weights and runtime: vectors of two ids must never meet in one index."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's own tokenizer; chunks are bounded in its tokens."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts of documents."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries; differs from `embed` for models that want them marked as such."""
        ...


class WeightsFolder(Protocol):
    """Where model files come from; `kb.weights.folder.Weights` is one."""

    def models(self) -> Sequence[str]:
        """Names of the models that it knows."""
        ...

    def resolve(self, name: str) -> Path:
        """Folder that holds the model's files, fetched and checked when needed."""
        ...


@dataclass(frozen=True, slots=True)
class EmbedderKind:
    """One way to get an embedder, as `known` registers it."""

    takes: Callable[[EmbeddingConfig], bool]
    """Whether it is the one that a configuration means."""
    open: Callable[[EmbeddingConfig, WeightsFolder | None], Embedder]
    """Makes the embedder; models are loaded on first use. Raises `WeightsError` when files are
    missing. None stands for the weights of the user's cache folder."""
