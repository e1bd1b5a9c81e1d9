"""Where the knowledge bases of a deployment are shared, when they are."""

from typing import Any

from sqlalchemy import Engine

from conversation.store.snapshots import StoredPointers
from kb.snapshots.objects import SnapshotObjects
from kb.snapshots.shared import Shared
from kb.snapshots.watching import PointerWatch


class SharedKnowledge:
    """What the knowledge bases of one process share: an address, rows of the store, one look."""

    def __init__(self, url: str, engine: Engine) -> None:
        """Take the address of all snapshots, and the engine of an opened `ConversationStore`."""
        self._url = url.rstrip("/")
        self._pointers = StoredPointers(engine)
        self._watch = PointerWatch(self._pointers)

    def of(self, name: str) -> Shared:
        """Where the knowledge base `name` is shared."""
        return Shared(name, SnapshotObjects(f"{self._url}/{name}"), self._pointers, self._watch)

    def close(self) -> None:
        """Look no more."""
        self._watch.close()


def shared_options(shared: SharedKnowledge | None, name: str) -> dict[str, Any]:
    """What `KnowledgeBase.open` is told of it; nothing where it is kept in one folder."""
    return {} if shared is None else {"shared": shared.of(name)}
