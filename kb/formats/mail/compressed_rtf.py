"""The packed RTF of Outlook messages, after the open specification MS-OXRTFCP."""

import struct

_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4_096
_MAX_BYTES = 50_000_000
_PACKED, _PLAIN = 0x75465A4C, 0x414C454D


def decompressed(data: bytes) -> bytes | None:
    """The RTF in `data`; None when it is not in this form. What is cut off is missing only."""
    if len(data) < 16:
        return None
    _, size, kind, _ = struct.unpack_from("<4I", data)
    if kind == _PLAIN:
        return data[16 : 16 + size]
    return bytes(_unpacked(data, min(size, _MAX_BYTES))) if kind == _PACKED else None


def _unpacked(data: bytes, size: int) -> bytearray:
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\0"))
    written, position = len(_DICTIONARY), 16
    found = bytearray()

    def write(byte: int) -> None:
        nonlocal written
        found.append(byte)
        window[written % _WINDOW] = byte
        written += 1

    while position < len(data) and len(found) < size:
        flags, position = data[position], position + 1
        for bit in range(8):
            if position >= len(data) or len(found) >= size:
                break
            if not flags >> bit & 1:
                write(data[position])
                position += 1
                continue
            reference = int.from_bytes(data[position : position + 2], "big")
            offset, length = reference >> 4, (reference & 15) + 2
            position += 2
            if offset == written % _WINDOW:
                return found
            for step in range(length):
                write(window[(offset + step) % _WINDOW])
    return found
