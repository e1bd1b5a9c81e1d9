"""Folders as the network protocol shows them: among documents, with what is in them."""

from collections.abc import Sequence
from typing import Any, TypeVar

from conversation.server.documents.bodies import DocumentSummary, DocumentTimes, FolderSummary
from conversation.server.documents.known_documents import KnownDocument
from conversation.server.library.folders import Folder, FolderTree

Shown = TypeVar("Shown", bound=DocumentSummary)


def segments(tree: FolderTree, entity_id: str) -> list[dict[str, Any]]:
    """The folders around a document or a folder, from the root."""
    return [{"id": each.folder_id, "name": each.name} for each in tree.path_of(entity_id)]


def located(shown: Shown, tree: FolderTree) -> Shown:
    """A document with its place."""
    shown.folder_parent_id = tree.parent_of(shown.id)
    shown.folder_path = segments(tree, shown.id)
    return shown


def folder_summary(
    folder: Folder, tree: FolderTree, documents: Sequence[KnownDocument]
) -> FolderSummary:
    """A folder as it is among `documents`, which are all that there are."""
    own_id = folder.folder_id
    inside = [each for each in documents if tree.is_under(each.document_id, own_id)]
    own = sum(tree.parent_of(each.document_id) == own_id for each in inside)
    folders = sum(each.parent_id == own_id for each in tree.folders.values())
    return FolderSummary(
        id=own_id,
        name=folder.name,
        metadata=DocumentTimes(
            created_at_unix_secs=int(folder.created_at.timestamp()),
            last_updated_at_unix_secs=int(folder.updated_at.timestamp()),
            size_bytes=sum(each.bytes for each in inside),
        ),
        folder_parent_id=tree.parent_of(own_id),
        folder_path=segments(tree, own_id),
        children_count=own + folders,
        document_count=len(inside),
    )
