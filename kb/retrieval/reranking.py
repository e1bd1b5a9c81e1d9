"""Second look at the best candidates by a model that reads query and passage together.

It costs much more than an embedding, so it sees few candidates, in batches, until its time is up.
What it did not get to keeps the order that it had.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from kb.config import RerankerConfig
from kb.embedding.embedder import WeightsFolder
from kb.embedding.model_folder import model_folder
from kb.embedding.torch_extra import require_torch
from kb.errors import WeightsError


class Reranker(Protocol):
    """Says how well texts answer a query."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """One number a text, 0 to 1, higher is better."""
        ...


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


def open_reranker(config: RerankerConfig, weights: WeightsFolder | None = None) -> Reranker:
    """Make the reranker that `config` names; its model is loaded on first use.

    Raises:
        WeightsError: The model's files are missing or not what their digest says, or the extra
            `torch` is not installed.
    """
    require_torch("`retrieval.reranker`")
    folder = model_folder(config.model, weights)
    return CrossEncoderReranker(config.model, folder, max_tokens=config.max_tokens)


def optional_reranker(
    config: RerankerConfig | None, weights: WeightsFolder | None
) -> Reranker | None:
    """The same where a reranker is configured, else None."""
    return None if config is None else open_reranker(config, weights)


def rescore(
    query: str,
    texts: Sequence[str],
    *,
    reranker: Reranker,
    config: RerankerConfig,
    clock: Callable[[], float] = time.monotonic,
) -> list[float]:
    """Scores of the first texts, as many as there was time for; at least one batch.

    A batch is not begun when one as slow as the slowest so far would pass the deadline.
    """
    scores: list[float] = []
    began_s = now_s = clock()
    slowest_s = 0.0
    wanted = texts[: config.candidates]
    while len(scores) < len(wanted):
        if scores and now_s - began_s + slowest_s > config.deadline_s:
            break
        batch = wanted[len(scores) : len(scores) + config.batch_size]
        scores.extend(float(score) for score in reranker.score(query, batch))
        ended_s = clock()
        slowest_s, now_s = max(slowest_s, ended_s - now_s), ended_s
    return scores


def blended_order(
    before: Sequence[float], rescored: Sequence[float], *, weight: float
) -> list[int]:
    """Places of all candidates in their new order, best first.

    Those that were rescored stay ahead of the others. Among them both scores count, each as its
    share of the way from the lowest to the highest, because the two have no unit in common.

    Args:
        before: Scores of all candidates, best first.
        rescored: Scores of the first of them by the reranker.
        weight: Share of the reranker, 0 to 1.
    """
    first = _shares(before[: len(rescored)])
    second = _shares(rescored)
    total = [(1 - weight) * a + weight * b for a, b in zip(first, second, strict=True)]
    seen = sorted(range(len(rescored)), key=lambda place: (-total[place], place))
    return [*seen, *range(len(rescored), len(before))]


def _shares(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]
