"""The documents of an agent file, as the network protocol names them: by id. Pure.

Documents of the library stand in the file as what they are, a path or a URL, so that a file works
without the server that wrote it.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from conversation.agent.config import KnowledgeBaseSection, LinkEntry, SiteEntry, TextEntry
from conversation.server.errors import ApiError
from conversation.server.library.library import HandedInAs, LibraryDocument
from kb import document as kb_document
from kb.ingest.intake import identify

Entry = str | LinkEntry | SiteEntry | TextEntry
"""One entry of a `knowledge_base` section; a string is one of its `files`."""


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """One entry of an agent's knowledge base."""

    document_id: str
    kind: HandedInAs
    name: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class NamedFolder:
    """A folder, which stands for all that lies in it."""

    document_id: str
    name: str
    kind: Literal["folder"] = "folder"


def named_documents(
    section: KnowledgeBaseSection,
    library: Iterable[LibraryDocument],
    *,
    agents_dir: Path,
    library_dir: Path,
) -> list[NamedDocument]:
    """What an agent answers from.

    A document of the library has its id there, any other the one that knowledge bases give it.

    Args:
        section: Of the agent file.
        library: The documents of the library.
        agents_dir: What paths in the file are relative to.
        library_dir: Where the library's files are.
    """
    known = {_place(each, library_dir): each for each in library}
    found: list[NamedDocument] = []
    for entry in (*section.files, *section.links, *section.sites, *section.texts):
        place = _place_of_entry(entry, agents_dir)
        document = None if place is None else known.get(place)
        if document is not None:
            found.append(NamedDocument(document.document_id, document.kind, document.name, entry))
        else:
            found.append(_unknown(entry, agents_dir))
    return found


def with_documents(
    section: KnowledgeBaseSection,
    wanted: Sequence[str],
    *,
    present: Sequence[NamedDocument],
    library: Iterable[LibraryDocument],
    agents_dir: Path,
    library_dir: Path,
) -> KnowledgeBaseSection:
    """The section with exactly these documents.

    Args:
        section: As it stands.
        wanted: Ids, of the library or of entries that the agent has already.
        present: As `named_documents` gave it.
        library: The documents of the library.
        agents_dir: What paths in the file are relative to.
        library_dir: Where the library's files are.

    Raises:
        ApiError: There is no such document, or they are more than the agent may have.
    """
    held = {each.document_id: each.entry for each in present}
    stored = {each.document_id: each for each in library}
    entries: list[Entry] = []
    for document_id in dict.fromkeys(wanted):
        if document_id in held:
            entries.append(held[document_id])
        elif document_id in stored:
            entries.append(_entry(stored[document_id], agents_dir, library_dir))
        else:
            raise ApiError(
                422,
                "document_not_found",
                f"There is no document {document_id[:100]!r} to answer from. Hand it in first.",
            )
    changed = section.model_copy(
        update={
            "files": tuple(each for each in entries if isinstance(each, str)),
            "links": tuple(each for each in entries if isinstance(each, LinkEntry)),
            "sites": tuple(each for each in entries if isinstance(each, SiteEntry)),
            "texts": tuple(each for each in entries if isinstance(each, TextEntry)),
        }
    )
    _require_room(changed, [stored[each] for each in dict.fromkeys(wanted) if each in stored])
    return changed


def _require_room(section: KnowledgeBaseSection, documents: Sequence[LibraryDocument]) -> None:
    """What the agent's own limits say of it now; the ingest holds them again, with sizes read."""
    count = len(section.files) + len(section.links) + len(section.texts)
    limits, size = section.limits, sum(each.bytes for each in documents)
    if limits.max_documents is not None and count > limits.max_documents:
        raise ApiError(
            400,
            "document_limit_exceeded",
            f"The agent would answer from {count} documents, and may from {limits.max_documents}. "
            "Take some out, or raise `knowledge_base.limits.max_documents` in its file.",
        )
    if limits.max_total_bytes is not None and size > limits.max_total_bytes:
        raise ApiError(
            413,
            "knowledge_base_size_exceeded",
            f"The agent would answer from {size:,} bytes, and may from "
            f"{limits.max_total_bytes:,}. Take some out, or raise "
            "`knowledge_base.limits.max_total_bytes` in its file.",
        )


def _place(document: LibraryDocument, library_dir: Path) -> str:
    if document.kind == "url":
        return document.source
    return os.path.normpath(library_dir.resolve() / document.source)


def _place_of_entry(entry: Entry, agents_dir: Path) -> str | None:
    if isinstance(entry, str):
        return os.path.normpath(agents_dir.resolve() / Path(entry).expanduser())
    return entry.url if isinstance(entry, LinkEntry) else None


def _entry(document: LibraryDocument, agents_dir: Path, library_dir: Path) -> Entry:
    if document.kind == "url":
        name = None if document.name == document.source else document.name
        return LinkEntry(url=document.source, name=name)
    path = library_dir.resolve() / document.source
    return Path(os.path.relpath(path, agents_dir.resolve())).as_posix()


def _unknown(entry: Entry, agents_dir: Path) -> NamedDocument:
    if isinstance(entry, TextEntry):
        kind, source = "text", kb_document.TextSource(entry.name, entry.text)
    elif isinstance(entry, str):
        kind, source = "file", kb_document.FileSource(agents_dir / Path(entry).expanduser())
    else:
        kind = "url"
        source = kb_document.LinkSource(entry.url, getattr(entry, "name", None))
    identity = identify(source)
    return NamedDocument(identity.document_id, kind, identity.name, entry)
