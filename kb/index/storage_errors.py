"""A full disk or a folder that may not be written: told in a sentence, whatever met it."""

import errno
import shutil
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import KnowledgeBaseError, StorageError

_VECTORS = "chroma"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_FULL_SIGNS = ("disk is full", "no space left", "disk quota exceeded")
_TORN = frozenset({sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
_TORN_SIGNS = ("error deserializing", "error loading hnsw")
_REFUSED_SIGNS = ("readonly database", "read-only file system", "unable to open database file")


@contextmanager
def telling_storage_errors(directory: Path) -> Generator[None]:
    """Turn what the system and the libraries say of a store that takes nothing into one error.

    Raises:
        StorageError: The disk is full, or the folder may not be written.
    """
    try:
        yield
    except KnowledgeBaseError:
        raise
    except Exception as error:
        why = next(filter(None, map(_fault, _causes(error))), None)
        if why is None:
            raise
        room = f"{_free_at(directory)} " if any(map(_backlog, _causes(error))) else ""
        raise StorageError(
            f"The knowledge base in {str(directory)!r} could not be changed: {why} {room}Nothing "
            "that it held is lost, and the next ingest goes on where this one stopped."
        ) from error


@contextmanager
def telling_unsearchable(directory: Path) -> Generator[None]:
    """Say in a sentence that Chroma does not search, since its disk does not let it tidy up.

    Raises:
        StorageError: It has to write before it can search, and cannot.
    """
    try:
        yield
    except Exception as error:
        why = _unsearchable(error, directory)
        if why is None:
            raise
        raise StorageError(
            f"The knowledge base in {str(directory)!r} cannot be searched now: {why} Nothing that "
            "it held is lost."
        ) from error


def is_torn_index(error: BaseException) -> bool:
    """Whether Chroma left a file of its graph half written: no room given later mends that."""
    said = str(error).lower()
    return _is_of_chroma(error) and any(sign in said for sign in _TORN_SIGNS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _fault(error: BaseException) -> str | None:
    if not isinstance(error, OSError | sqlite3.Error) and not _is_of_chroma(error):
        return None
    number, said = getattr(error, "errno", None), str(error).lower()
    if number in _FULL or any(sign in said for sign in _FULL_SIGNS):
        return "its disk is full. Make room and try again."
    if number == errno.EFBIG:
        return (
            "a file of it may not grow further. Raise the limit of the process or the file system "
            "(`ulimit -f`), or put it on another disk, and try again."
        )
    if _io_failed(error):
        return (
            f"its disk takes nothing ({error}). Make room, look at the limits of the process "
            "(`ulimit -f`) and at the disk itself, and try again."
        )
    if number in _REFUSED or any(sign in said for sign in _REFUSED_SIGNS):
        return "it may not be written. Mount it for writing, or change its permissions."
    return _backlog(error)


def _unsearchable(error: BaseException, directory: Path) -> str | None:
    if is_torn_index(error):
        return (
            f"a file of its vector index is half written ({error}). The next ingest makes the "
            "index anew; run `vivavoce ingest`."
        )
    if not _is_of_chroma(error):
        return None
    why = _backlog(error)
    return _fault(error) if why is None else f"{why} {_free_at(directory)}"


def _backlog(error: BaseException) -> str | None:
    """What to say where Chroma could not write what waits in its log; it does not say why."""
    said = str(error).lower()
    # With the code of SQLite it would be known what is wrong.
    if not _is_of_chroma(error) or "compact" not in said or "code:" in said:
        return None
    return (
        f"its vector index could not write what waits ({error}). Most often its disk is full: "
        "make room, look at the disk itself, and try again."
    )


def _free_at(directory: Path) -> str:
    """How much room the vectors have, as far as that can be known."""
    folder = directory / _VECTORS
    if not folder.is_dir():  # a server has them
        return "Its server knows how much room there is."
    return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB are free at {str(folder)!r}."


def _io_failed(error: BaseException) -> bool:
    """Whether SQLite could not read or write, and not for what stands in the file."""
    code = getattr(error, "sqlite_errorcode", None) or 0
    failed = code & 0xFF == sqlite3.SQLITE_IOERR or "disk i/o error" in str(error).lower()
    return failed and code not in _TORN


def _is_of_chroma(error: BaseException) -> bool:
    """Its errors have no class in common that could be had without loading all of it."""
    return type(error).__module__.partition(".")[0] == "chromadb"
