"""What is no longer needed of snapshots is deleted, once nobody can be reading it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kb.snapshots.pointers import SnapshotRecord
from kb.snapshots.shared import Shared


def due(
    records: Sequence[SnapshotRecord], *, kept: int, grace: timedelta, now: datetime
) -> list[SnapshotRecord]:
    """Snapshots that may go: withdrawn ones and those beyond the `kept` versions, after `grace`.

    Of one version of the index only the newest snapshot counts: others tell the same documents.

    Args:
        records: Of all snapshots, newest first, the live one among them.
        kept: How many versions to keep.
        grace: How long after it was replaced or withdrawn somebody may still read one.
        now: The time.
    """
    versions: list[int] = []
    found: list[SnapshotRecord] = []
    for record in records:
        is_spare = record.index_version in versions or len(versions) >= kept
        if record.withdrawn_at is None and not is_spare:
            versions.append(record.index_version)
            continue
        if record.replaced_at is None:
            continue
        if now - max(record.replaced_at, record.withdrawn_at or record.replaced_at) >= grace:
            found.append(record)
    return found


def collect(shared: Shared) -> int:
    """Delete the snapshots that are due. The caller holds the lease. Returns their number.

    A crash at any point leaves rows that the next time begins with.
    """
    records = shared.pointers.records(shared.name)
    now = shared.now()
    going = [
        record.snapshot_id for record in due(records, kept=shared.kept, grace=shared.grace, now=now)
    ]
    if not going:
        return 0
    shared.pointers.withdraw(shared.name, going, at=now)
    staying = [record.snapshot_id for record in records if record.snapshot_id not in going]
    needed = _pieces(shared, staying)
    shared.objects.delete(_pieces(shared, going) - needed, going)
    shared.pointers.forget(shared.name, going)
    return len(going)


def collect_strays(shared: Shared) -> int:
    """Delete pieces that no snapshot consists of: a writer was killed while it put them there.

    The caller holds the lease, so that nobody is putting any. Returns their number.
    """
    kept = [record.snapshot_id for record in shared.pointers.records(shared.name)]
    strays = shared.objects.all_pieces() - _pieces(shared, kept)
    shared.objects.delete(strays)
    return len(strays)


def _pieces(shared: Shared, snapshot_ids: Sequence[str]) -> set[str]:
    manifests = shared.objects.manifests(snapshot_ids).values()
    return set[str]().union(*(manifest.pieces() for manifest in manifests))
