"""Errors that are told in a sentence, each with its exit code; all others are shown whole."""

import errno
import os
import traceback
from pathlib import Path

_PLACE_ERRORS = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    | {errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
)
_DATABASE_SIGNS = (
    "unable to open database file",
    "attempt to write a readonly database",
    "database or disk is full",
    "disk i/o error",
    "no space left on device",
    "file too large",
    "could not write file",
    "permission denied",
    "read-only file system",
)
_DAMAGE_SIGNS = ("malformed", "file is not a database", "database disk image")
_REMEDY = (
    "Free some room, change its permissions, or keep run-time state elsewhere with "
    "VIVAVOCE_STORE_DIR; `vivavoce doctor` looks at every part."
)


def told(error: BaseException) -> tuple[str, int] | None:
    """What to print and the exit code; None for an error that nobody expected."""
    from analysis.errors import AnalysisError
    from conversation.errors import ConversationError
    from kb.errors import KnowledgeBaseError
    from orchestration.errors import NoDataError, OrchestrationError

    if isinstance(error, NoDataError):
        return str(error), 2
    expected = (KnowledgeBaseError, ConversationError, AnalysisError, OrchestrationError)
    if isinstance(error, expected):
        return str(error), 1
    place = _place_told(error) or _damage_told(error)
    return None if place is None else (place, 1)


def _damage_told(error: BaseException) -> str | None:
    """A database of conversations whose file is broken, in one sentence."""
    from orchestration.settings import load_settings

    is_broken = type(error).__module__.partition(".")[0] in ("sqlalchemy", "sqlite3") and any(
        sign in str(error) for sign in _DAMAGE_SIGNS
    )
    # Bytes of a text that are none any more.
    is_broken = is_broken or (isinstance(error, UnicodeDecodeError) and _is_of_sqlalchemy(error))
    if not is_broken:
        return None
    said = str(getattr(error, "orig", None) or error).splitlines()[0]
    url = load_settings().store_url
    where = "conversations.sqlite in the store folder" if url is None else "VIVAVOCE_STORE_URL"
    return (
        f"The database of conversations ({where}) is damaged: {said}. Nothing makes it again, so "
        "restore it from a backup. `sqlite3 FILE .recover` gives what can still be read."
    )


def _is_of_sqlalchemy(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return any("sqlalchemy" in Path(frame.filename).parts for frame in frames)


def _is_of_the_store(error: OSError) -> bool:
    """Whether a place of ours could not be made, which some file systems call missing."""
    from orchestration.errors import SettingsError
    from orchestration.settings import load_settings

    if error.errno != errno.ENOENT or not error.filename:
        return False
    try:
        store = load_settings().store.resolve()
    except SettingsError:
        return False
    missing = Path(os.fsdecode(error.filename)).resolve()
    return missing == store or store in missing.parents or missing in store.parents


def _place_told(error: BaseException) -> str | None:
    """A place that cannot be written or has no room, in one sentence."""
    if isinstance(error, OSError) and (error.errno in _PLACE_ERRORS or _is_of_the_store(error)):
        where = f"{os.fspath(error.filename)!r}" if error.filename else "A file"
        return f"{where} cannot be used: {error.strerror}. {_REMEDY}"
    module = type(error).__module__.partition(".")[0]
    if module not in ("sqlalchemy", "sqlite3", "duckdb", "_duckdb", "alembic", "chromadb"):
        return None
    first = str(getattr(error, "orig", None) or error).splitlines()[0]
    if not any(sign in str(error).lower() for sign in _DATABASE_SIGNS):
        return None
    return f"The store cannot be used: {first}. {_REMEDY}"
