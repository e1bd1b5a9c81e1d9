"""Entries under `knowledge_base.files` -> files: one by one, whole folders, patterns."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_PATTERN_CHARS = frozenset("*?[")


def listed_files(entries: Iterable[str], folder: Path) -> tuple[Path, ...]:
    """The files that the entries name, each once, in the order of the entries.

    A folder stands for every file in it and below, a pattern such as `guides/**/*.md` for what it
    matches, both sorted by path. Files whose name or folder starts with a dot, and the lock files
    of office programs, are left out of both. An entry or a link that leads to no file stays as it
    is, so that reading it says what is wrong.

    Args:
        entries: As in the agent file.
        folder: What relative entries are relative to.
    """
    return tuple(dict.fromkeys(path for entry in entries for path in _files_of(entry, folder)))


def _files_of(entry: str, folder: Path) -> list[Path]:
    path = Path(os.path.normpath(folder / Path(entry).expanduser()))
    if path.is_dir():
        found = path.rglob("*")
        base = path
    elif _PATTERN_CHARS.intersection(entry) and not path.exists():
        base = _without_pattern(path)
        found = base.glob(path.relative_to(base).as_posix())
    else:
        return [path]
    return sorted(_shown(found, base)) or [path]


def _without_pattern(path: Path) -> Path:
    """The deepest folder above every part with a pattern."""
    return next(above for above in path.parents if not _PATTERN_CHARS.intersection(str(above)))


def _shown(found: Iterable[Path], base: Path) -> Iterator[Path]:
    for path in found:
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(base).parts)
        leads_nowhere = path.is_symlink() and not path.exists()
        if not hidden and (path.is_file() or leads_nowhere):
            yield path
