"""Folders of the library: places for documents, also of those that agent files name.

A folder says where a document is found; an agent that names one answers from all that lies in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.server.records import ApiRecord, RecordStore

MAX_FOLDERS = 1_000
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder; `parent_id` is None at the root."""

    folder_id: str
    name: str
    parent_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FolderTree:
    """All folders, and which document is in which."""

    folders: Mapping[str, Folder]
    placed: Mapping[str, str]
    """Folder of a document, by the document's id."""

    def parent_of(self, entity_id: str) -> str | None:
        """Where a document or a folder is; None for the root."""
        folder = self.folders.get(entity_id)
        parent = self.placed.get(entity_id) if folder is None else folder.parent_id
        return parent if parent in self.folders else None

    def path_of(self, entity_id: str) -> list[Folder]:
        """The folders around a document or a folder, from the root."""
        path: list[Folder] = []
        parent = self.parent_of(entity_id)
        while parent is not None and len(path) <= MAX_DEPTH:
            path.append(self.folders[parent])
            parent = self.parent_of(parent)
        return path[::-1]

    def is_under(self, entity_id: str, folder_id: str) -> bool:
        """Whether a document or a folder is in a folder, at any depth."""
        return any(each.folder_id == folder_id for each in self.path_of(entity_id))

    def below(self, folder_id: str) -> list[Folder]:
        """Every folder in a folder, at any depth."""
        return [each for each in self.folders.values() if self.is_under(each.folder_id, folder_id)]


class Folders:
    """The folders of one deployment. Safe to share between threads and processes."""

    def __init__(self, records: RecordStore) -> None:
        """Take where they are kept."""
        self._records = records

    def tree(self) -> FolderTree:
        """All of them as they are now."""
        folders = {each.record_id: _folder(each) for each in self._records.all("folder")}
        placed = {
            each.record_id: str(each.body["folder_id"]) for each in self._records.all("placed")
        }
        return FolderTree(folders, placed)

    def create(self, name: str, parent_id: str | None, *, now: datetime) -> Folder:
        """A new folder.

        Raises:
            ApiError: There is no such parent, it lies too deep, or there are too many.
        """
        tree = self.tree()
        _require_room(tree, parent_id)
        if len(tree.folders) >= MAX_FOLDERS:
            raise ApiError(
                IN_THE_WAY, "folder_limit_exceeded", f"There are {MAX_FOLDERS:,} folders already."
            )
        body = {"name": name, "parent_id": parent_id}
        return _folder(self._records.add("folder", body, now=now))

    def rename(self, folder: Folder, name: str, *, now: datetime) -> None:
        """Give a folder another name."""
        body = {"name": name, "parent_id": folder.parent_id}
        self._records.put("folder", folder.folder_id, body, now=now)

    def move(self, entity_id: str, to: str | None, *, now: datetime) -> None:
        """Put a document or a folder into another folder, or at the root.

        Raises:
            ApiError: There is no such folder, or it lies in what is moved.
        """
        tree = self.tree()
        folder = tree.folders.get(entity_id)
        if to is not None and to not in tree.folders:
            raise not_found("folder", to[:100])
        if folder is None:
            self._place(entity_id, to, now=now)
            return
        if to is not None and (to == entity_id or tree.is_under(to, entity_id)):
            raise ApiError(IN_THE_WAY, "folder_in_itself", "A folder cannot be moved into itself.")
        depths = [len(tree.path_of(each.folder_id)) for each in tree.below(entity_id)]
        own = len(tree.path_of(entity_id))
        _require_room(tree, to, more=max(depths, default=own) - own)
        body = {"name": folder.name, "parent_id": to}
        self._records.put("folder", entity_id, body, now=now)

    def put_back(self, before: FolderTree, *, now: datetime) -> None:
        """Have everything lie where it lay; folders that were made or deleted stay so."""
        present = self.tree()
        for each in before.placed.keys() | present.placed.keys():
            if before.placed.get(each) != present.placed.get(each):
                self._place(each, before.placed.get(each), now=now)
        for folder_id, folder in before.folders.items():
            there = present.folders.get(folder_id)
            if there is not None and there.parent_id != folder.parent_id:
                body = {"name": there.name, "parent_id": folder.parent_id}
                self._records.put("folder", folder_id, body, now=now)

    def remove(self, entity_id: str) -> None:
        """Forget a folder, or where a document was."""
        self._records.remove("folder", entity_id)
        self._records.remove("placed", entity_id)

    def _place(self, document_id: str, to: str | None, *, now: datetime) -> None:
        if to is None:
            self._records.remove("placed", document_id)
        else:
            self._records.put("placed", document_id, {"folder_id": to}, now=now)


def known_folder(tree: FolderTree, folder_id: str) -> Folder:
    """One folder.

    Raises:
        ApiError: 404.
    """
    found = tree.folders.get(folder_id)
    if found is None:
        raise not_found("folder", folder_id[:100])
    return found


def _require_room(tree: FolderTree, parent_id: str | None, *, more: int = 0) -> None:
    if parent_id is None:
        return
    depth = len(tree.path_of(known_folder(tree, parent_id).folder_id)) + 2 + more
    if depth > MAX_DEPTH:
        raise ApiError(
            IN_THE_WAY, "folder_too_deep", f"Folders lie in one another {MAX_DEPTH} deep at most."
        )


def _folder(record: ApiRecord) -> Folder:
    return Folder(
        record.record_id,
        record.body["name"],
        record.body["parent_id"],
        record.created_at,
        record.updated_at,
    )
