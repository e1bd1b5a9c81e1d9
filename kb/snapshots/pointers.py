"""What keeps the rows about snapshots: which one is live, which others there are, who may write.

`kb` knows no database; whoever has one offers this.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pointer:
    """The snapshot that is live."""

    snapshot_id: str
    generation: int
    """Counts the moves of the pointer."""


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """One snapshot that is kept."""

    snapshot_id: str
    made_at: datetime
    index_version: int
    documents: int
    chunks: int
    size: int
    """Bytes of all its files; snapshots share most of them."""
    replaced_at: datetime | None = None
    """When another one became live; None for the live one."""
    withdrawn_at: datetime | None = None
    """Since when nobody may go back to it: something in it was erased, or it is being deleted."""


class WriterLease(Protocol):
    """The right to change one knowledge base, among all machines."""

    @property
    def token(self) -> str:
        """Tells this holding of it from every other."""
        ...

    def require(self) -> None:
        """Do nothing while the lease is held.

        Raises:
            LostLeaseError: Another writer has taken it over.
        """
        ...


class SnapshotPointers(Protocol):
    """Rows about the snapshots of all knowledge bases. Safe to share between threads."""

    def pointers(self) -> Mapping[str, Pointer]:
        """What is live, by the name of the knowledge base. One statement."""
        ...

    def pointer(self, name: str) -> Pointer | None:
        """What is live of one knowledge base; None when nothing ever was."""
        ...

    def records(self, name: str) -> Sequence[SnapshotRecord]:
        """Every snapshot that is kept, newest first."""
        ...

    def lease(self, name: str, *, timeout_s: float) -> AbstractContextManager[WriterLease]:
        """Hold the lease of one knowledge base; the lease of a process that died passes on.

        Raises:
            BusyError: Another writer did not finish in time.
        """
        ...

    def move(
        self,
        name: str,
        record: SnapshotRecord,
        *,
        expected: Pointer | None,
        lease: WriterLease,
        withdrawn: Sequence[str] = (),
    ) -> Pointer:
        """Make `record` live in place of `expected`, in one transaction.

        Args:
            name: Of the knowledge base.
            record: Of the snapshot, which may be known already.
            expected: What was live when the change began.
            lease: Held.
            withdrawn: Snapshots that nobody may go back to from now on.

        Raises:
            LostLeaseError: Something else is live, or the lease was lost. Nothing was changed.
        """
        ...

    def withdraw(self, name: str, snapshot_ids: Sequence[str], *, at: datetime) -> None:
        """Let nobody go back to these snapshots from now on."""
        ...

    def forget(self, name: str, snapshot_ids: Sequence[str]) -> None:
        """These snapshots are gone."""
        ...

    def forget_all(self, name: str) -> None:
        """The knowledge base is gone, with everything that was known of it."""
        ...
