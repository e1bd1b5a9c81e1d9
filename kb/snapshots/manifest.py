"""What a snapshot consists of: files, each a list of pieces that are known by their digests."""

import hashlib
from collections.abc import Mapping
from functools import cached_property

from pydantic import BaseModel, ConfigDict, ValidationError

from kb.errors import SnapshotError

PIECE_BYTES = 1 << 18
"""A SQLite file changes page by page, in place: most pieces stay what they were. One document more
in 3,602 chunks changes 22 of 133 pieces of this size, and 14 of 38 that are four times as long."""


class SnapshotFile(BaseModel):
    """One file of the folder."""

    model_config = ConfigDict(frozen=True)

    size: int
    """Bytes."""
    pieces: tuple[str, ...]
    """SHA-256 of each `PIECE_BYTES` in turn; the last piece is what is left."""


class Manifest(BaseModel):
    """One snapshot. Two with the same content are the same snapshot."""

    model_config = ConfigDict(frozen=True)

    format: int = 1
    index_version: int
    documents: int
    """How many are ready to be searched."""
    chunks: int
    held: tuple[str, ...]
    """Ids of the documents of which it holds a text, old versions included."""
    files: Mapping[str, SnapshotFile]
    """By their place in the folder."""

    @cached_property
    def snapshot_id(self) -> str:
        """Digest of the content."""
        return hashlib.sha256(self.as_bytes()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def pieces(self) -> set[str]:
        """Digests of everything that it consists of."""
        return {piece for file in self.files.values() for piece in file.pieces}

    def as_bytes(self) -> bytes:
        """As it is kept."""
        return self.model_dump_json().encode()


def read_manifest(data: bytes, *, place: str) -> Manifest:
    """The manifest that was kept as `data`.

    Raises:
        SnapshotError: It is damaged, or a newer release wrote it.
    """
    try:
        found = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise SnapshotError(
            f"{place} is no manifest of a snapshot. Go back to another one with "
            "`vivavoce kb rollback`, or ingest again."
        ) from error
    if found.format != 1:
        raise SnapshotError(
            f"{place} has format {found.format}, this release reads 1. Upgrade vivavoce."
        )
    return found


def digest_of(data: bytes) -> str:
    """What a piece is known by."""
    return hashlib.sha256(data).hexdigest()
