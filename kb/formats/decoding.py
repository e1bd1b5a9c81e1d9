"""Bytes to text: byte order marks, damaged UTF-8, stated charsets, then detection."""

import codecs
import re
import unicodedata

from kb.media_types import text_encoding

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 64 * 1024
_UTF16_SAMPLE_BYTES = 4096
_MAX_ODD_SHARE = 0.02
"""Of the characters of a text: unassigned ones, controls and rare spaces."""
_MAX_STRAY_NULS = 0.02
_WIDE_LEAD = 0.35
"""Of the bytes at one parity: NULs and one more value, where a script has its characters."""
_MIN_EAST_ASIAN = 0.95

_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""A character beyond ASCII in UTF-8."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
_MISMADE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|[\xc0\xc1][\x80-\xbf]")
"""Written as UTF-8 by programs that take units of UTF-16 for characters: each is one flaw."""
_MANY_BROKEN = 3
"""With fewer bytes than this that fit nothing, one whole sequence for each says UTF-8."""
_SHIFTED = b"\x1b$"
"""Begins Japanese or Chinese in mails of old, all in bytes of ASCII."""
_MIN_TELLING_BYTES = 4
"""Fewer bytes than this beyond ASCII tell nothing, and Western European is the best bet."""
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b")
_COMMON_SIGNS = frozenset(
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2018\u2019\u201a\u201c\u201d\u201e\u2020\u2021"
    "\u2022\u2026\u2030\u2032\u2033\u2039\u203a\u20ac\u2116\u2122\u2190\u2192\u2212\u2264\u2265"
)
_ODD_CATEGORIES = frozenset({"Cc", "Cn", "Co", "Cs"})


def decode(data: bytes, *, stated: str | None = None) -> str:
    """Turn `data` to text without ever failing.

    A byte order mark decides; else strict UTF-8, which no other encoding passes by accident; else
    UTF-8 with flaws, where most of what is beyond ASCII is whole; else UTF-16 without a mark;
    else the `stated` charset; else detection on the first 64 KiB. A byte that fits nothing
    becomes U+FFFD: it must not turn the rest to nonsense. NULs are no text and are dropped.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace")
    wide = utf16_without_bom(data)
    if wide is not None:
        return data.decode(wide, errors="replace").replace("\0", "")
    data = data.replace(b"\0", b"")
    if _SHIFTED in data and (text := _try(data, "iso2022_jp_2")) is not None:
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _is_damaged_utf8(data, stated=stated):
        return data.decode("utf-8", errors="replace")
    encoding = text_encoding(stated)
    if encoding and (text := _try(data, encoding)) is not None:
        return text
    return data.decode(_detect(data), errors="replace")


def utf16_without_bom(data: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` where text is stored in two bytes a character without a mark.

    Text of one byte a character has the same bytes at even and at odd places; in UTF-16 the
    places of one kind hold the numbers of scripts, which are few and NUL among them.
    """
    sample = data[:_UTF16_SAMPLE_BYTES]
    sample = sample[: len(sample) // 2 * 2]
    if len(sample) < 4 or _is_narrow(sample):
        return None
    found = [
        (odd, encoding)
        for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0))
        if _few_leads(sample[first::2], trails=sample[1 - first :: 2])
        and (odd := _odd_share(sample.decode(encoding, errors="replace"))) <= _MAX_ODD_SHARE
    ]
    return min(found)[1] if found else None


def _is_narrow(sample: bytes) -> bool:
    """Whether the bytes are ASCII or UTF-8 with few stray NULs in it."""
    nuls = sample.count(0)
    if nuls > max(1, _MAX_STRAY_NULS * len(sample)):
        return False
    rest = sample.replace(b"\0", b"")
    controls = sum(map(rest.count, _CONTROLS))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(rest)
    except UnicodeDecodeError:
        return False
    return controls <= _MAX_ODD_SHARE * len(rest)


def _few_leads(leads: bytes, *, trails: bytes) -> bool:
    """Whether NUL and one other value are a good part of the bytes, or they are those of Han."""
    others = leads.replace(b"\0", b"")
    commonest = max((others.count(value) for value in set(others)), default=0)
    nuls = len(leads) - len(others)
    if nuls and nuls + commonest >= _WIDE_LEAD * len(leads):
        return True
    # Characters of two bytes in the encodings of old never begin with a byte below 0x80, and in
    # a word of letters alone the bytes in between are letters too.
    low, between = _count_low(others), _count_low(trails)
    east_asian = low + sum(0x80 <= value <= 0x9F or value == 0xFF for value in others) + nuls
    return (
        low >= max(_WIDE_LEAD * len(leads), _MIN_TELLING_BYTES)
        and between <= low / 2
        and east_asian >= _MIN_EAST_ASIAN * len(leads)
    )


def _count_low(values: bytes) -> int:
    return sum(value == 0x30 or 0x4E <= value < 0x80 for value in values)


def _odd_share(text: str) -> float:
    return sum(map(_is_odd, text)) / max(len(text), 1)


def _is_odd(character: str) -> bool:
    if character in "\t\n\r\f\ufeff":
        return False
    if "\u2000" <= character <= "\u2fff":
        return character not in _COMMON_SIGNS
    return character == "\ufffd" or unicodedata.category(character) in _ODD_CATEGORIES


def _is_damaged_utf8(data: bytes, *, stated: str | None) -> bool:
    whole = _SEQUENCE.findall(data)
    beyond = sum(map(len, _BEYOND_ASCII.findall(data)))
    broken = beyond - sum(map(len, whole)) - _cut_off_at_end(data)
    broken -= sum(len(each) - 1 for each in _MISMADE.findall(data))
    if whole and broken < _MANY_BROKEN:
        return len(whole) >= broken
    if _is_utf8(stated):
        return broken < _MANY_BROKEN or len(whole) >= broken
    return bool(whole) and len(whole) >= 2 * broken


def _cut_off_at_end(data: bytes) -> int:
    """Bytes of a character that the end of `data` cuts in two."""
    for length in (1, 2, 3):
        lead = data[-length] if length <= len(data) else 0
        if lead >= 0xC2:
            return length if length < _sequence_length(lead) else 0
        if lead < 0x80:
            return 0
    return 0


def _sequence_length(lead: int) -> int:
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def _is_utf8(stated: str | None) -> bool:
    encoding = text_encoding(stated)
    return encoding is not None and codecs.lookup(encoding).name == "utf-8"


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _detect(data: bytes) -> str:
    import chardet

    beyond = sum(map(len, _BEYOND_ASCII.findall(data[:_SAMPLE_BYTES])))
    if beyond < _MIN_TELLING_BYTES and 2 * beyond < len(data):
        return "cp1252"
    return text_encoding(chardet.detect(data[:_SAMPLE_BYTES])["encoding"]) or "cp1252"
