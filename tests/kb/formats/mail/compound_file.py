"""Outlook messages as Outlook saves them: properties in a compound file, written by hand."""

import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

_SECTOR, _SMALL, _CUTOFF = 512, 64, 4096
_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_TEXT, _BINARY, _NUMBER, _MOMENT = 0x001F, 0x0102, 0x0003, 0x0040

Folder = Mapping[str, Any]
"""Name -> bytes of a stream, or another folder."""


def outlook_message(
    *,
    subject: str = "",
    sender: tuple[str, str] = ("", ""),
    to: tuple[tuple[str, str], ...] = (),
    cc: tuple[tuple[str, str], ...] = (),
    sent: datetime | None = None,
    plain: str = "",
    html: bytes = b"",
    rtf: bytes = b"",
    files: tuple[tuple[str, str, bytes], ...] = (),
    attached: tuple[Folder, ...] = (),
) -> bytes:
    """A .msg file; `files` are name, media type and content."""
    return compound_file(
        message_folder(
            subject=subject, sender=sender, to=to, cc=cc, sent=sent, plain=plain, html=html,
            rtf=rtf, files=files, attached=attached,
        )
    )  # fmt: skip


def message_folder(*, inner: bool = False, **parts: Any) -> Folder:
    """The folder of a message, as it stands in a file or, `inner`, in another message."""
    moment = parts.get("sent")
    name, address = parts.get("sender") or ("", "")
    values: dict[tuple[int, int], Any] = {
        (0x0037, _TEXT): parts.get("subject"),
        (0x0C1A, _TEXT): name,
        (0x5D01, _TEXT): address,
        (0x1000, _TEXT): parts.get("plain"),
        (0x1013, _BINARY): parts.get("html"),
        (0x1009, _BINARY): parts.get("rtf"),
        (0x3FDE, _NUMBER): 65001,
        (0x340D, _NUMBER): 0x00040000,
        (0x0039, _MOMENT): _ticks(moment) if moment else None,
    }
    people = [(1, each) for each in parts.get("to", ())] + [
        (2, each) for each in parts.get("cc", ())
    ]
    folder: dict[str, Any] = dict(_properties(values, bytes(24 if inner else 32)))
    for index, (kind, (person, mail)) in enumerate(people):
        fields = {(0x3001, _TEXT): person, (0x39FE, _TEXT): mail, (0x0C15, _NUMBER): kind}
        folder[f"__recip_version1.0_#{index:08X}"] = _properties(fields, bytes(8))
    files = parts.get("files", ())
    for index, (title, media_type, content) in enumerate(files):
        fields = {
            (0x3707, _TEXT): title,
            (0x370E, _TEXT): media_type,
            (0x3701, _BINARY): content,
            (0x3705, _NUMBER): 1,
        }
        folder[f"__attach_version1.0_#{index:08X}"] = _properties(fields, bytes(8))
    for index, message in enumerate(parts.get("attached", ()), start=len(files)):
        fields = dict(_properties({(0x3705, _NUMBER): 5}, bytes(8)))
        folder[f"__attach_version1.0_#{index:08X}"] = fields | {"__substg1.0_3701000D": message}
    return folder


def _properties(values: Mapping[tuple[int, int], Any], header: bytes) -> Folder:
    folder: dict[str, Any] = {}
    entries = header
    for (name, kind), value in values.items():
        if value in (None, "", b""):
            continue
        if kind in (_NUMBER, _MOMENT):
            payload = int(value).to_bytes(8, "little")
        else:
            content = value.encode("utf-16-le") if kind == _TEXT else value
            folder[f"__substg1.0_{name:04X}{kind:04X}"] = content
            payload = struct.pack("<II", len(content), 0)
        entries += struct.pack("<HHI", kind, name, 6) + payload
    folder["__properties_version1.0"] = entries
    return folder


def _ticks(moment: datetime) -> int:
    return int((moment.timestamp() + 11_644_473_600) * 10_000_000)


def compound_file(root: Folder) -> bytes:
    """Write folders and streams as one compound file of version 3."""
    sectors: list[bytes] = []
    chains: dict[int, int] = {}
    small, small_chains = bytearray(), dict[int, int]()

    def store(content: bytes) -> int:
        first = len(sectors)
        pieces = [
            content[at : at + _SECTOR].ljust(_SECTOR, b"\0")
            for at in range(0, len(content), _SECTOR)
        ]
        for index, piece in enumerate(pieces):
            chains[len(sectors)] = _END if index == len(pieces) - 1 else len(sectors) + 1
            sectors.append(piece)
        return first if pieces else _END

    def store_small(content: bytes) -> int:
        first = len(small) // _SMALL
        count = -(-len(content) // _SMALL)
        for index in range(count):
            at = first + index
            small_chains[at] = _END if index == count - 1 else at + 1
        small.extend(content.ljust(count * _SMALL, b"\0"))
        return first if count else _END

    entries: list[list[Any]] = [["Root Entry", 5, _FREE, _END, 0]]

    def add(folder: Folder) -> int:
        """Add the entries of a folder; returns the first, each the right neighbour of the last."""
        first, previous = _FREE, None
        for name, content in sorted(
            folder.items(), key=lambda each: (len(each[0]), each[0].upper())
        ):
            number = len(entries)
            if isinstance(content, bytes):
                start = store(content) if len(content) >= _CUTOFF else store_small(content)
                entries.append([name, 2, _FREE, start, len(content)])
            else:
                entries.append([name, 1, _FREE, 0, 0])
                entries[number][2] = add(content)
            if previous is None:
                first = number
            else:
                entries[previous].append(number)
            previous = number
        return first

    entries[0][2] = add(root)
    entries[0][3], entries[0][4] = store(bytes(small)), len(small)
    directory = store(b"".join(map(_entry, entries)))
    small_table = store(_table(small_chains, len(small) // _SMALL))
    tables = 1
    while tables * _SECTOR // 4 < len(sectors) + tables:
        tables += 1
    at = len(sectors)
    chains.update(dict.fromkeys(range(at, at + tables), 0xFFFFFFFD))
    table = _table(chains, at + tables).ljust(tables * _SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<4I", 0, tables, directory, 0)
    header += struct.pack("<I2I", _CUTOFF, small_table, -(-len(small_chains) * 4 // _SECTOR))
    header += struct.pack("<2I", _END, 0)
    header += b"".join(struct.pack("<I", at + each) for each in range(tables))
    return header.ljust(_SECTOR, b"\xff") + b"".join(sectors) + table


def _table(chains: Mapping[int, int], length: int) -> bytes:
    return b"".join(struct.pack("<I", chains.get(each, _FREE)) for each in range(length))


def _entry(entry: list[Any]) -> bytes:
    name, kind, child, start, size, *right = entry
    coded = name.encode("utf-16-le") + b"\0\0"
    packed = coded.ljust(64, b"\0") + struct.pack("<HBB", len(coded), kind, 1)
    packed += struct.pack("<3I", _FREE, right[0] if right else _FREE, child) + bytes(36)
    return packed + struct.pack("<IQ", start if kind != 1 else 0, size)
