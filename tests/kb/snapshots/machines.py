"""Machines that share a knowledge base: a folder each, one store, one address."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conversation.store.snapshots import StoredPointers
from conversation.store.store import ConversationStore
from kb.config import KnowledgeBaseConfig
from kb.knowledge_base import KnowledgeBase
from kb.snapshots.objects import SnapshotObjects
from kb.snapshots.shared import Shared
from kb.snapshots.watching import PointerWatch
from tests.kb.conftest import UNLIMITED, WordEmbedder


@dataclass
class Machine:
    """One process on a machine of its own."""

    kb: KnowledgeBase
    objects: SnapshotObjects
    watch: PointerWatch
    embedder: WordEmbedder

    def found(self, query: str) -> list[str]:
        """The best passage, if there is any."""
        return [passage.text for passage in self.kb.retrieve(query, limit=1)]


@dataclass
class Machines:
    """Opens machines, and closes them all."""

    folder: Path
    url: str
    store_url: str
    every_s: float | None = None
    """Between two looks at the pointers; None looks when the test does."""
    at: datetime = datetime(2026, 11, 30, tzinfo=UTC)
    """What every machine takes for the time."""
    grace: timedelta = timedelta(0)
    kept: int = 10
    gone_after_s: float = 60.0
    _close: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])

    def open(
        self, name: str, config: KnowledgeBaseConfig = UNLIMITED, *, read_only: bool = False
    ) -> Machine:
        store = ConversationStore.open(self.store_url)
        pointers = StoredPointers(store.engine, gone_after_s=self.gone_after_s)
        objects = SnapshotObjects(self.url)
        watch = PointerWatch(pointers, every_s=self.every_s)
        embedder = WordEmbedder()
        shared = Shared(
            "desk", objects, pointers, watch, self.kept, self.grace, now=lambda: self.at
        )
        kb = KnowledgeBase(
            self.folder / name,
            config,
            embedder=lambda: embedder,
            read_only=read_only,
            shared=shared,
        )
        self._close += [kb.close, watch.close, store.close]
        return Machine(kb, objects, watch, embedder)

    def close(self) -> None:
        for close in self._close:
            close()
