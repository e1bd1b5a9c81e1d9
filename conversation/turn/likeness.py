"""Likeness of sentences and passages, for answers that say in other words what a passage says."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from conversation.grounding.citations import Similarity
from conversation.turn.turn_so_far import SpeakingTurn
from kb.errors import KnowledgeBaseError

_log = logging.getLogger(__name__)


@runtime_checkable
class ComparingSource(Protocol):
    """A knowledge base whose embedding model can compare texts."""

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        """Cosine of `text` with each of `others`."""
        ...


def similarity_of(
    speaking: SpeakingTurn, source: object, *, timer_s: Callable[[], float]
) -> Similarity | None:
    """How sentences of the turn are compared with passages; None where words alone decide.

    That is so when the embedding model was too slow for the turn's own search. Its time is not
    this project's own: it is taken off `own_s`.
    """
    retrieval = speaking.retrieval
    if retrieval is None or retrieval.mode != "hybrid" or not isinstance(source, ComparingSource):
        return None

    def compare(sentence: str, texts: Sequence[str]) -> Sequence[float]:
        began_s = timer_s()
        try:
            return source.similarities(sentence, texts)
        except KnowledgeBaseError as error:
            _log.warning("turn %s: words alone decide, %s", speaking.turn_id, type(error).__name__)
            return [0.0] * len(texts)
        finally:
            speaking.own_s -= timer_s() - began_s

    return compare
