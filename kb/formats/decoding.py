"""Bytes to text: byte order marks, stated charsets, then detection."""

import codecs

from kb.media_types import text_encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 64 * 1024
_MIN_TELLING_BYTES = 8
"""Fewer bytes than this beyond ASCII tell nothing, and Western European is the best bet."""


def decode(data: bytes, *, stated: str | None = None) -> str:
    """Turn `data` to text without ever failing.

    A byte order mark decides; else strict UTF-8, which no other encoding passes by accident;
    else the `stated` charset; else detection on the first 64 KiB. A byte that fits nothing
    becomes U+FFFD.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        damaged = error.start
    encoding = text_encoding(stated)
    if encoding and (text := _try(data, encoding)) is not None:
        return text
    if damaged > _SAMPLE_BYTES:
        # Long valid UTF-8 with a flaw far in: one bad byte must not turn the rest to nonsense.
        return data.decode("utf-8", errors="replace")
    return data.decode(_detect(data), errors="replace")


def is_utf16_without_bom(data: bytes) -> bool:
    """Whether ASCII text seems to be stored in two bytes a character."""
    sample = data[:1000]
    if len(sample) < 4:
        return False
    zeros = [sample[offset::2].count(0) / (len(sample) // 2) for offset in (0, 1)]
    return max(zeros) > 0.7 and min(zeros) == 0


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _detect(data: bytes) -> str:
    from charset_normalizer import from_bytes

    if sum(byte >= 0x80 for byte in data[:_SAMPLE_BYTES]) < _MIN_TELLING_BYTES:
        return "cp1252"
    best = from_bytes(data[:_SAMPLE_BYTES]).best()
    return best.encoding if best is not None else "cp1252"
