"""The catalog of a folder: made where there is none, read where nothing can be written."""

from pathlib import Path

from kb.index.catalog import Catalog
from kb.index.damage import telling_damage
from kb.index.sqlite_file import is_writable
from kb.index.storage_errors import telling_storage_errors


def open_catalog(directory: Path, *, read_only: bool) -> Catalog:
    """Open the catalog in `directory`; a folder that may not be written is opened to read.

    Raises:
        CatalogError: There is nothing to read, or a newer release wrote it.
        StorageError: There is no catalog, and none can be made.
    """
    path = directory / "catalog.sqlite3"
    if path.is_file() and not (is_writable(directory) and is_writable(path)):
        read_only = True
    with telling_damage(directory), telling_storage_errors(directory):
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        return Catalog(path, read_only=read_only)
