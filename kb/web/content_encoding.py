"""Compressed response bodies, undone a bounded piece at a time."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from kb.errors import DocumentError

_CHUNK_BYTES = 64 * 1024
_SLICE_BYTES = 4 * 1024
_GZIP_MAGIC = b"\x1f\x8b"


def decoded(pieces: Iterable[bytes], encoding: str, *, url: str) -> Iterator[bytes]:
    """Undo gzip or deflate, never holding more than 64 KiB that were not asked for.

    Raises:
        DocumentError: `unsupported_encoding`, or `malformed` when the data is broken.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise DocumentError(
            "unsupported_encoding",
            f"{url!r} was sent with the encoding {encoding!r} though only gzip and deflate "
            "were asked for. Save the page and add the file instead.",
        )
    try:
        yield from _undone(pieces, encoding)
    except (zlib.error, EOFError) as error:
        raise DocumentError(
            "malformed",
            f"{url!r} was sent compressed and the data is broken ({error}). Try again "
            "later, or save the page and add the file.",
        ) from error


def is_gzip(data: bytes) -> bool:
    """Whether `data` begins as gzip does."""
    return data.startswith(_GZIP_MAGIC)


def _undone(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Every member of the data. Bytes after the last one that begin no other belong to nothing."""
    decoder: Any = None
    for waiting in _slices(pieces):
        while waiting:
            if decoder is None:
                decoder = _decoder(encoding, waiting)
            elif decoder.eof:
                if encoding == "deflate" or waiting[:1] != _GZIP_MAGIC[:1]:
                    return
                decoder = _decoder(encoding, waiting)
            yield from _inflated(decoder, waiting)
            waiting = decoder.unused_data
    if decoder is not None and not decoder.eof:
        raise EOFError("it ends in the middle")


def _slices(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small ones: after each member what follows it is copied, and members can be tiny."""
    for piece in pieces:
        for start in range(0, len(piece), _SLICE_BYTES):
            yield piece[start : start + _SLICE_BYTES]


def _inflated(decoder: Any, data: bytes) -> Iterator[bytes]:
    piece = decoder.decompress(data, _CHUNK_BYTES)
    yield piece
    # A full piece may have more behind it though all input was taken.
    while not decoder.eof and (decoder.unconsumed_tail or len(piece) == _CHUNK_BYTES):
        piece = decoder.decompress(decoder.unconsumed_tail, _CHUNK_BYTES)
        yield piece


def _decoder(encoding: str, start: bytes) -> Any:
    if encoding != "deflate":
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    # Some servers leave the zlib wrapper out, though the standard has it.
    wrapped = start[:1] == b"\x78"
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
