"""EPUB books: the chapters in reading order."""

import posixpath
from typing import Any
from urllib.parse import unquote

from kb.document import ParsedDocument
from kb.errors import DocumentError
from kb.formats.archive import Archive
from kb.formats.decoding import decode
from kb.formats.pages.html import drop_hidden, drop_permalinks
from kb.formats.pages.html_body import shown_beside_text
from kb.formats.pages.html_text import read_tree, tag_of
from kb.formats.pages.html_tree import add_tree
from kb.formats.text_builder import (
    ParseRequest,
    TextBuilder,
    clean,
    encrypted,
    malformed,
    one_line,
)

_CONTAINER = "META-INF/container.xml"
_RIGHTS = ("META-INF/rights.xml", "META-INF/license.lcpl")
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read an EPUB; a copy-protected one is `encrypted`."""
    archive = Archive(data, name=request.name, what="EPUB book")
    if any(member in archive for member in _RIGHTS):
        raise encrypted(request.name, "book")
    package_path = _package_path(archive, request)
    package = archive.xml(package_path)
    builder = TextBuilder(request)
    for member in _chapters(package, posixpath.dirname(package_path)):
        if member in archive:
            _add_chapter(builder, archive, member)
    about = _about(package)
    return builder.build(title=about.get("title"), language=about.get("language"), metadata=about)


def _add_chapter(builder: TextBuilder, archive: Archive, member: str) -> None:
    try:
        root = read_tree(decode(archive.read(member)), member)
    except DocumentError as error:
        if error.reason != "empty":
            raise
        return  # A blank page is no reason to refuse the book.
    _take_in_styles(root, archive, posixpath.dirname(member))
    drop_hidden(root, builder)
    drop_permalinks(root)
    for kind, count in shown_beside_text(root):
        builder.leave_out(kind, count)
    add_tree(builder, root)


def _take_in_styles(root: Any, archive: Archive, folder: str) -> None:
    """Put style sheets of the book where they are called; they say what no reader sees."""
    for link in list(root.iter("link")):
        kinds = (link.get("rel") or "").lower().split()
        path = posixpath.normpath(posixpath.join(folder, unquote(link.get("href") or "")))
        if "stylesheet" in kinds and "alternate" not in kinds and path in archive:
            style = link.makeelement("style", media=link.get("media") or "")
            style.text = _style_sheet(archive, path)
            link.addprevious(style)
            if style.text:
                link.drop_tree()  # All that it says is known now.


def _style_sheet(archive: Archive, path: str) -> str:
    try:
        return clean(decode(archive.read(path)))[0]
    except DocumentError:
        return ""  # A damaged style sheet costs itself, not the book.


def _package_path(archive: Archive, request: ParseRequest) -> str:
    for element in archive.xml(_CONTAINER).iter():
        if tag_of(element) == "rootfile" and element.get("full-path"):
            return str(element.get("full-path"))
    raise malformed(request.name, "EPUB book", "its container names no package")


def _chapters(package: Any, folder: str) -> list[str]:
    pages: dict[str, str] = {}
    order: list[str] = []
    aside: list[str] = []
    for element in package.iter():
        tag = tag_of(element)
        if tag == "item" and element.get("media-type") in _PAGES:
            path = posixpath.join(folder, unquote(element.get("href", "")))
            # The navigation repeats every heading of the book.
            if "nav" not in element.get("properties", "").split():
                pages[element.get("id", "")] = posixpath.normpath(path)
        elif tag == "itemref":
            # Notes and answers stand outside of the order, where a link opens them: read last.
            (order if element.get("linear") != "no" else aside).append(element.get("idref", ""))
    return [pages[reference] for reference in (*order, *aside) if reference in pages]


def _about(package: Any) -> dict[str, str]:
    names = {"title": "title", "language": "language", "creator": "author", "date": "created"}
    names["description"] = "description"
    about: dict[str, str] = {}
    for element in package.iter():
        key = names.get(tag_of(element))
        if key and element.text and element.text != "unknown":
            about.setdefault(key, one_line(element.text))
    return about
