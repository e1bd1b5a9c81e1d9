"""Room that nothing uses in the files of Chroma's vector index, blanked.

hnswlib writes its arrays to disk with the room for elements that may come, which is memory as some
other part of the process left it: there texts of documents were found that had been erased.
"""

import struct
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

_HEADER = struct.Struct("<iQQQQ")
"""Version, where links begin, elements that have room, elements that are there, bytes of one."""
_VERSION = 1
_LENGTH_BYTES = 4


@contextmanager
def blanking_unused_room(vectors: Path) -> Generator[None]:
    """Blank the room that is left when everything in `vectors` was written and closed.

    The caller holds the writer lock: elements that another process adds would be blanked.
    """
    yield
    for header in vectors.glob("*/header.bin"):
        with suppress(OSError, struct.error):  # what cannot be read or written is found elsewhere
            _blank(header)


def _blank(header: Path) -> None:
    with header.open("rb") as file:
        version, _, room, held, element_bytes = _HEADER.unpack(file.read(_HEADER.size))
    if version != _VERSION or held > room:
        return
    for name, size in (("length.bin", _LENGTH_BYTES), ("data_level0.bin", element_bytes)):
        path = header.with_name(name)
        # Another layout of another release is left as it is.
        if path.stat().st_size == room * size:
            _blank_end(path, held * size)


def _blank_end(path: Path, begin: int) -> None:
    with path.open("r+b") as file:
        file.seek(begin)
        rest = file.read()
        if rest.strip(b"\0"):
            file.seek(begin)
            file.write(bytes(len(rest)))
