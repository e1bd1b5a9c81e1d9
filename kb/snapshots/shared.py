"""What the machines that share a knowledge base have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kb.snapshots.objects import SnapshotObjects
from kb.snapshots.pointers import SnapshotPointers
from kb.snapshots.watching import PointerWatch

GRACE = timedelta(minutes=10)
"""So long others may still read a snapshot that was replaced, and fetch what it consists of."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Where the snapshots of one knowledge base are."""

    name: str
    """Of the knowledge base in `pointers`."""
    objects: SnapshotObjects
    pointers: SnapshotPointers
    watch: PointerWatch
    kept: int = 10
    """Versions of the index that one can go back to."""
    grace: timedelta = GRACE
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
