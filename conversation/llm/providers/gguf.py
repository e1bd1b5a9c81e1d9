"""What the header of a GGUF file says of its model, and which file it is."""

import hashlib
import struct
from pathlib import Path
from typing import BinaryIO

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each type of value that has a fixed size, by its number in the format."""
_STRING, _ARRAY = 8, 9
_UNSIGNED = {0: "<B", 2: "<H", 4: "<I", 10: "<Q"}
_LONGEST_KEY = 1_024
_MOST_ENTRIES = 10_000


_SAMPLED_BYTES = 1 << 16
_SAMPLES = 64


def weights_fingerprint(path: Path) -> str:
    """Digest of a weights file: its size, its header, and samples of the rest.

    Two files that differ in their weights differ in nearly every block, so that nobody has to wait
    until a gigabyte is read.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLES * _SAMPLED_BYTES))
        for sample in range(1, _SAMPLES + 1):
            file.seek(max(0, size * sample // _SAMPLES - _SAMPLED_BYTES))
            digest.update(file.read(_SAMPLED_BYTES))
    return digest.hexdigest()


def trained_context_tokens(path: Path) -> int | None:
    """How many tokens the model was trained to read at once; None when the file does not say."""
    try:
        with path.open("rb") as file:
            return _context_length(file)
    except (OSError, struct.error, UnicodeDecodeError):
        return None


def _context_length(file: BinaryIO) -> int | None:
    if file.read(4) != b"GGUF":
        return None
    _version, _tensors, entries = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(entries, _MOST_ENTRIES)):
        length = _number(file, "<Q")
        if length > _LONGEST_KEY:
            return None
        key = file.read(length).decode()
        kind = _number(file, "<I")
        if key.endswith(".context_length") and kind in _UNSIGNED:
            return _number(file, _UNSIGNED[kind])
        _skip(file, kind)
    return None


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_number(file, "<Q"), 1)
    elif kind != _ARRAY:
        file.seek(_size(kind), 1)
    else:
        of, count = _number(file, "<I"), _number(file, "<Q")
        if of == _STRING:
            for _ in range(count):
                file.seek(_number(file, "<Q"), 1)
        else:
            file.seek(count * _size(of), 1)


def _size(kind: int) -> int:
    if kind not in _SIZES:
        raise struct.error(f"unknown type {kind}")
    return _SIZES[kind]


def _number(file: BinaryIO, form: str) -> int:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]
