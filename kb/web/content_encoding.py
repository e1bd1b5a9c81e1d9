"""Compressed response bodies, undone a bounded piece at a time."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from kb.errors import DocumentError

_CHUNK_BYTES = 64 * 1024


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
    decoder: Any = None
    try:
        for piece in pieces:
            if decoder is None:
                decoder = _decoder(encoding, piece)
            yield decoder.decompress(piece, _CHUNK_BYTES)
            while decoder.unconsumed_tail:
                yield decoder.decompress(decoder.unconsumed_tail, _CHUNK_BYTES)
    except zlib.error as error:
        raise DocumentError(
            "malformed",
            f"{url!r} was sent compressed and the data is broken ({error}). Try again "
            "later, or save the page and add the file.",
        ) from error


def _decoder(encoding: str, start: bytes) -> Any:
    if encoding != "deflate":
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    # Some servers leave the zlib wrapper out, though the standard has it.
    wrapped = start[:1] == b"\x78"
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
