"""What a sync would do, found without parsing, embedding or fetching anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.config import Limits
from kb.document import FileSource, LinkSource, Source, SyncRow, TextSource
from kb.index.catalog import Fingerprint
from kb.ingest.intake import file_sha256, identify, text_bytes, text_sha256


@dataclass(frozen=True, slots=True)
class _Content:
    bytes: int
    sha256: str | None
    missing: bool = False


def plan_source(
    source: Source, known: Fingerprint | None, *, signature: str, room: "Room"
) -> SyncRow:
    """Say what would become of one source, and take its room.

    A link that is known counts as unchanged: whether the page changed is known when it is fetched.
    """
    identity = identify(source)
    content = _content(source, known)
    row = SyncRow(
        action="added",
        kind=identity.kind,
        source=identity.source,
        name=identity.name,
        document_id=identity.document_id,
        bytes=content.bytes,
    )
    if content.missing:
        failure = {"reason": "not_found", "detail": f"There is no file {identity.source!r}."}
        return row.model_copy(update={"action": "failed", **failure})
    refused = room.refusal(content.bytes)
    if refused is not None:
        failure = {"reason": "limit", "detail": f"{identity.name!r} does not fit: {refused}"}
        return row.model_copy(update={"action": "failed", **failure})
    room.take(content.bytes)
    if known is None or known.document.status != "ready":
        return row
    same = known.signature == signature and known.document.content_sha256 == content.sha256
    chunks = known.document.chunk_count if same else 0
    return row.model_copy(update={"action": "unchanged" if same else "replaced", "chunks": chunks})


class Room:
    """What the limits leave; counted down as sources are planned."""

    def __init__(self, limits: Limits) -> None:
        self.documents = limits.max_documents
        """Documents that still fit; None without a limit."""
        self.bytes = limits.max_total_bytes
        """Bytes that still fit; None without a limit."""

    def refusal(self, size: int) -> str | None:
        """Why a document of this size does not fit; None when it does."""
        if self.documents is not None and self.documents < 1:
            return "no place is left (`limits.max_documents`). Leave a source out, or raise it."
        if self.bytes is not None and size > self.bytes:
            return (
                f"{size:,} bytes, and {self.bytes:,} are left (`limits.max_total_bytes`). "
                "Leave a source out, or raise it."
            )
        return None

    def take(self, size: int) -> None:
        """Count one document of this size."""
        self.documents = None if self.documents is None else self.documents - 1
        self.bytes = None if self.bytes is None else self.bytes - size


def plan_all(
    sources: Sequence[Source],
    known: Mapping[str, Fingerprint],
    *,
    signature: str,
    limits: Limits,
) -> list[SyncRow]:
    """Rows of all sources in order; documents that no source names come last, as removed."""
    room = Room(limits)
    rows = [
        plan_source(source, known.get(identify(source).document_id), signature=signature, room=room)
        for source in sources
    ]
    wanted = {row.document_id for row in rows}
    return rows + [
        SyncRow(
            action="removed",
            kind=held.document.kind,
            source=held.document.source,
            name=held.document.name,
            document_id=document_id,
            bytes=held.document.bytes,
        )
        for document_id, held in known.items()
        if document_id not in wanted
    ]


def _content(source: Source, known: Fingerprint | None) -> _Content:
    match source:
        case FileSource(path=path):
            return _file(path)
        case TextSource(text=text):
            return _Content(text_bytes(text), text_sha256(text))
        case LinkSource():
            if known is None:
                return _Content(0, None)
            return _Content(known.document.bytes, known.document.content_sha256)


def _file(path: Path) -> _Content:
    sha256 = file_sha256(path)
    if sha256 is None:
        return _Content(0, None, missing=True)
    return _Content(path.stat().st_size, sha256)
