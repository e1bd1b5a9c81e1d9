"""Files of a knowledge base that are damaged: told with what mends them, or made anew at once."""

import logging
import shutil
import sqlite3
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import CatalogError, KnowledgeBaseError
from kb.index.catalog import Catalog
from kb.index.index_publisher import DIMENSION, VectorCollections, VectorIndex
from kb.index.storage_errors import is_torn_index

_log = logging.getLogger(__name__)
_SIGNS = ("malformed", "file is not a database", "database disk image", "code: 11)", "code: 26)")


def is_damage(error: BaseException | None) -> bool:
    """Whether a database says that its own file is broken."""
    while error is not None:
        module = type(error).__module__.partition(".")[0]
        if module in ("sqlite3", "chromadb") and any(sign in str(error) for sign in _SIGNS):
            return True
        if isinstance(error, sqlite3.DatabaseError) and _code_of(error) in _CODES:
            return True
        if isinstance(error, UnicodeDecodeError) and _is_of_a_file(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_of_a_file(error: UnicodeDecodeError) -> bool:
    """Whether the bytes came from a database, where a text is always UTF-8."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).parent == Path(__file__).parent


_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code_of(error: sqlite3.DatabaseError) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


@contextmanager
def telling_damage(directory: Path) -> Generator[None]:
    """Turn what SQLite says of a broken catalog into a sentence with the command that mends it.

    Raises:
        CatalogError: The catalog in `directory` is damaged.
    """
    try:
        yield
    except KnowledgeBaseError:
        raise
    except Exception as error:
        if not is_damage(error):
            raise
        raise damaged_catalog(directory / "catalog.sqlite3", error) from error


def damaged_catalog(path: Path, error: BaseException) -> CatalogError:
    """What to say of a catalog that cannot be read."""
    return CatalogError(
        f"The catalog {str(path)!r} cannot be read ({error}). `vivavoce kb rebuild "
        f"{path.parent.name}` makes it again from its sources."
    )


@contextmanager
def mended_vectors(
    open_collections: Callable[[], VectorCollections],
    catalog: Catalog,
    folder: Path,
    *,
    ef_search: int,
) -> Generator[tuple[VectorCollections, bool]]:
    """The vector indexes, and whether they were begun anew since their files are damaged or gone.

    Vectors are only derived: the caller fills what was begun anew. It holds the writer lock.
    """
    collections, is_anew = _opened(open_collections, catalog, folder, ef_search)
    try:
        yield collections, is_anew
    finally:
        collections.close()


def _opened(
    open_collections: Callable[[], VectorCollections],
    catalog: Catalog,
    folder: Path,
    ef_search: int,
) -> tuple[VectorCollections, bool]:
    collections: VectorCollections | None = None
    try:
        collections = open_collections()
        name = catalog.meta("collection")
        held = 0 if name is None else collections.collection(name, ef_search=ef_search).count()
        pending = catalog.pending_vectors()
        if name is not None and pending:
            _try_out(collections.collection(name, ef_search=ef_search), catalog)
        is_short = not pending and held != catalog.live_count()
        return collections, name is not None and is_short
    except Exception as error:
        if collections is not None:
            collections.close()
        if not (is_damage(error) or is_torn_index(error)) or not folder.is_dir():
            raise
        _log.warning("the vector index %s is damaged and is made anew", folder)
        _empty(folder)
        return open_collections(), True


def _try_out(index: VectorIndex, catalog: Catalog) -> None:
    """Search once, where a change was broken off: only then is the graph read from its files."""
    import numpy as np

    dimension = catalog.meta(DIMENSION)
    if dimension is not None and index.count():
        index.search(np.ones((1, int(dimension)), dtype=np.float32), limit=1)


def _empty(folder: Path) -> None:
    """Delete what lies in it, not itself: it may be a disk of its own, or a link to one."""
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
