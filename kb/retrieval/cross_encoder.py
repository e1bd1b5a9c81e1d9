"""Reranking with a cross-encoder of sentence-transformers."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from kb.errors import WeightsError


class CrossEncoderReranker:
    """A model by folder, or by the name that sentence-transformers knows it by."""

    def __init__(self, model: str, folder: Path | None = None, *, max_tokens: int = 256) -> None:
        self._model = model
        self._folder = folder
        self._max_tokens = max_tokens
        self._lock = threading.Lock()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the query, 0 to 1."""
        model, squash = self._loaded
        scores = model.predict(
            [(query, text) for text in texts],
            batch_size=len(texts),
            activation_fn=squash,
            show_progress_bar=False,
        )
        return [float(score) for score in scores]

    @property
    def _loaded(self) -> tuple[Any, Any]:
        with self._lock:
            return self._model_and_squash

    @cached_property
    def _model_and_squash(self) -> tuple[Any, Any]:
        import torch
        from sentence_transformers import CrossEncoder

        try:
            model: Any = CrossEncoder(str(self._folder or self._model), max_length=self._max_tokens)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"sentence-transformers cannot load the reranker {self._model!r}: {error}. Check "
                "`retrieval.reranker.model`, or give a folder that holds the model."
            ) from error
        if model.num_labels != 1:
            raise WeightsError(
                f"{self._model!r} gives {model.num_labels} numbers a pair, a reranker gives one. "
                "Name a cross-encoder made for search in `retrieval.reranker.model`."
            )
        return model, torch.nn.Sigmoid()
