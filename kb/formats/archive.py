"""ZIP containers, judged before anything in them is unpacked."""

import zipfile
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from kb.config import MEBIBYTE
from kb.errors import DocumentError
from kb.formats.text_builder import encrypted, malformed
from kb.formats.vendors import vendor

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 300 * MEBIBYTE
MAX_MEMBER_BYTES = 100 * MEBIBYTE
MAX_RATIO = 200
"""Unpacked to packed, once that is more than a few megabytes. Office files stay under 60."""
_RATIO_FROM_BYTES = 8 * MEBIBYTE
_ENCRYPTED_FLAG = 1


class Archive:
    """A ZIP container whose declared sizes were found bearable."""

    def __init__(self, data: bytes, *, name: str, what: str) -> None:
        self._name = name
        self._what = what
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        # zipfile raises NotImplementedError for ways to pack that it does not know.
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise malformed(name, what, error) from error
        infos = self._zip.infolist()
        _check_sizes(infos, name=name, packed=len(data))
        if any(info.flag_bits & _ENCRYPTED_FLAG for info in infos):
            raise encrypted(name, what)
        self._infos = {info.filename: info for info in infos}

    def members(self) -> list[str]:
        """Names of the files inside, in the order they are stored."""
        return [name for name, info in self._infos.items() if not info.is_dir()]

    def __contains__(self, member: object) -> bool:
        return member in self._infos

    def read(self, member: str) -> bytes:
        """Unpack one member; a size that was declared too small is noticed."""
        try:
            with self._zip.open(self._infos[member]) as unpacked:
                data = unpacked.read(MAX_MEMBER_BYTES + 1)
        except KeyError as error:
            raise malformed(self._name, self._what, f"there is no {member!r} in it") from error
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
            raise malformed(self._name, self._what, error) from error
        if len(data) > MAX_MEMBER_BYTES:
            raise _bomb(self._name, f"{member!r} unpacks to more than {MAX_MEMBER_BYTES:,} bytes")
        return data

    def xml(self, member: str) -> Any:
        """Unpack and parse an XML member; returns its root element."""
        return read_xml(self.read(member), name=self._name, what=self._what)


def read_xml(data: bytes, *, name: str, what: str) -> Any:
    """Parse XML without ever expanding an entity or fetching anything."""
    etree = vendor("lxml.etree")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser=parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise malformed(name, what, error) from error


def _check_sizes(infos: Iterable[zipfile.ZipInfo], *, name: str, packed: int) -> None:
    infos = list(infos)
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > MAX_MEMBERS:
        raise _bomb(name, f"it has {len(infos):,} members and {MAX_MEMBERS:,} are the limit")
    if unpacked > MAX_UNPACKED_BYTES:
        raise _bomb(
            name, f"it unpacks to {unpacked:,} bytes and {MAX_UNPACKED_BYTES:,} are the limit"
        )
    if unpacked > _RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed:
        raise _bomb(name, f"it unpacks to {unpacked // packed:,} times its size, as a bomb does")


def _bomb(name: str, why: str) -> DocumentError:
    return DocumentError(
        "too_large", f"{name!r} was not unpacked: {why}. Split it, or leave it out."
    )
