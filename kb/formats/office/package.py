"""Office Open XML packages: parts, and how they refer to each other.

Templates, slide shows and files with macros differ from documents in one content type; the strict
variant of the standard differs in its namespaces. Neither changes a word.
"""

import posixpath
import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from kb.formats.archive import Archive, read_xml
from kb.formats.pages.html_text import tag_of

_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = (
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships/metadata/core-properties",
     b"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships",
     b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (b"http://purl.oclc.org/ooxml/officeDocument/",
     b"http://schemas.openxmlformats.org/officeDocument/2006/"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main",
     b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/presentationml/main",
     b"http://schemas.openxmlformats.org/presentationml/2006/main"),
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main",
     b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/",
     b"http://schemas.openxmlformats.org/drawingml/2006/"),
)  # fmt: skip
_CONTENT_TYPES = "[Content_Types].xml"
_SHOW_TYPE = re.compile(
    rb"application/vnd\.(?:ms-powerpoint|openxmlformats-officedocument\.presentationml)"
    rb"\.(?:slideshow|template|presentation)(?:\.macroEnabled)?\.main\+xml"
)
_PRESENTATION_TYPE = (
    b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
)


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a part points to."""

    kind: str
    """Last word of its type: `header`, `hyperlink`, ..."""
    target: str
    """Name of a part, or an address when `external`."""
    external: bool


class Package:
    """One file of the Office Open XML family."""

    def __init__(self, data: bytes, *, name: str, what: str) -> None:
        self.archive = Archive(data, name=name, what=what)
        self._name, self._what = name, what

    @property
    def main_part(self) -> str:
        """The part that everything begins with."""
        found = (each for each in self.relations("").values() if each.kind == "officeDocument")
        relation = next(found, None)
        return relation.target if relation is not None else "word/document.xml"

    def xml(self, part: str) -> Any:
        """Root element of a part, in the namespaces of the usual variant."""
        return read_xml(as_transitional(self.archive.read(part)), name=self._name, what=self._what)

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part points to, by the id that it uses for it; `` for the package itself."""
        folder, file = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{file}.rels")
        if path not in self.archive:
            return {}
        found: dict[str, Relation] = {}
        for element in self.xml(path):
            if tag_of(element) != "relationship":
                continue
            target = str(element.get("Target", ""))
            external = element.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = str(element.get("Type", "")).rpartition("/")[2]
            found[str(element.get("Id", ""))] = Relation(kind, target, external)
        return found


def as_transitional(xml: bytes) -> bytes:
    """XML of the strict variant in the namespaces of the usual one."""
    if _STRICT in xml:
        for strict, usual in _TRANSITIONAL:
            xml = xml.replace(strict, usual)
    return xml


def as_presentation(data: bytes) -> bytes:
    """A slide show, a template or a strict presentation as the presentation that it is."""
    with zipfile.ZipFile(BytesIO(data)) as source:
        types = source.read(_CONTENT_TYPES)
        strict = any(
            _STRICT in source.read(member) for member in source.namelist() if ".rels" in member
        )
        if not strict and _PRESENTATION_TYPE in types:
            return data
        written = BytesIO()
        with zipfile.ZipFile(written, "w") as target:
            for member in source.namelist():
                content = source.read(member)
                if member.endswith((".xml", ".rels")):
                    content = as_transitional(content)
                if member == _CONTENT_TYPES:
                    content = _SHOW_TYPE.sub(_PRESENTATION_TYPE, content)
                target.writestr(member, content)
    return written.getvalue()


def property_texts(package: Package) -> dict[str, str]:
    """What the package says of itself: title, creator, subject, language."""
    relations = package.relations("").values()
    part = next((each.target for each in relations if each.kind == "core-properties"), None)
    if part is None or part not in package.archive:
        return {}
    return {tag_of(element): element.text for element in package.xml(part) if element.text}
