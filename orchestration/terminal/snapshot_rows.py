"""Snapshots of a knowledge base as a small table."""

from collections.abc import Sequence

from kb.config import MEBIBYTE
from kb.snapshots.pointers import SnapshotRecord
from orchestration.terminal.tables import text_table

SHORT_ID = 12
"""Characters of an id that are shown, and tell it from others."""


def short_id(snapshot_id: str) -> str:
    """The beginning of an id."""
    return snapshot_id[:SHORT_ID]


def snapshot_table(records: Sequence[SnapshotRecord]) -> str:
    """One line a snapshot."""
    if not records:
        return "No snapshot was made yet; `vivavoce ingest` makes the first."
    headers = ["snapshot", "state", "made (UTC)", "index version", "documents", "chunks", "MB"]
    rows = [
        [
            short_id(record.snapshot_id),
            _state(record),
            f"{record.made_at:%Y-%m-%d %H:%M:%S}",
            record.index_version,
            record.documents,
            record.chunks,
            f"{record.size / MEBIBYTE:.1f}",
        ]
        for record in records
    ]
    return text_table(headers, rows)


def _state(record: SnapshotRecord) -> str:
    if record.replaced_at is None:
        return "live"
    return "kept" if record.withdrawn_at is None else "withdrawn"
