"""Beginnings of prompts that were read once, as files: what a model made of every token.

A file holds what the documents say, in another form: it is private to its owner and is thrown away
with the documents. Its name is a digest of the weights, the build of llama.cpp and its settings, so
that a file of others is not found; a note beside it says which text was read.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

SUFFIX = ".state"
NOTE_SUFFIX = ".json"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
_KEY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class PromptState:
    """The beginning of a prompt, read once."""

    text: str
    """How the system message begins."""
    path: Path
    tokens: int
    size_bytes: int

    @property
    def is_there(self) -> bool:
        """Whether its file is still what it was."""
        try:
            return self.path.stat().st_size == self.size_bytes
        except OSError:
            return False

    def mark_used(self) -> None:
        """Note that it was of use just now: what is of no use for longest is dropped first."""
        with suppress(OSError):  # gone, or on a disk that is only read
            os.utime(self.path)


def state_key(parts: Iterable[str]) -> str:
    """Name of a state that depends on `parts` beside its text."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_KEY_DIGITS]


def find_state(folder: Path, key: str) -> PromptState | None:
    """The state with this name; None where there is none that is whole."""
    try:
        note = cast("dict[str, Any]", json.loads((folder / f"{key}{NOTE_SUFFIX}").read_text()))
        path = folder / f"{key}{SUFFIX}"
        state = PromptState(str(note["text"]), path, int(note["tokens"]), int(note["size_bytes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state if state.is_there else None


def keep_state(folder: Path, key: str, text: str, made: Path, tokens: int) -> PromptState:
    """Move a file that an engine wrote to its place. What the folder held is deleted.

    Raises:
        OSError: The place cannot be written.
    """
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    drop_states(folder)
    made.chmod(PRIVATE_FILE)
    size_bytes = made.stat().st_size
    state = PromptState(text, folder / f"{key}{SUFFIX}", tokens, size_bytes)
    _move(made, state.path)
    # The note comes last: without it, the other file counts as nothing.
    note = json.dumps({"tokens": tokens, "size_bytes": size_bytes, "text": text})
    partial = folder / f"{key}.partial"
    with os.fdopen(_created(partial), "w", encoding="utf-8") as file:
        file.write(note)
    partial.replace(folder / f"{key}{NOTE_SUFFIX}")
    return state


def drop_states(folder: Path) -> None:
    """Delete the states of a folder, also those of other weights and what a crash left."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.suffix in (SUFFIX, NOTE_SUFFIX, ".partial"):
            path.unlink(missing_ok=True)


def drop_least_used(folders: Iterable[Path], *, most_bytes: int, spare: Path) -> list[Path]:
    """Delete states until those of all `folders` fit, those of no use for longest first.

    Args:
        folders: Where the states of one agent each are.
        most_bytes: Of all of them together.
        spare: The folder of a state that stays, since it was just made.

    Returns:
        The folders whose state is gone.
    """
    states = [path for folder in folders for path in folder.glob(f"*{SUFFIX}")]
    sizes: dict[Path, int] = {}
    used: dict[Path, float] = {}
    for path in states:
        with suppress(OSError):
            found = path.stat()
            sizes[path], used[path] = found.st_size, found.st_mtime
    total, dropped = sum(sizes.values()), list[Path]()
    for path in sorted(sizes, key=lambda path: used[path]):
        if total <= most_bytes:
            break
        if path.parent != spare:
            drop_states(path.parent)
            total -= sizes[path]
            dropped.append(path.parent)
    return dropped


def _move(made: Path, place: Path) -> None:
    """Put a file in its place at once, also from another file system."""
    try:
        made.replace(place)
    except OSError:
        partial = place.with_suffix(".partial")
        with os.fdopen(_created(partial), "wb") as copy, made.open("rb") as source:
            while block := source.read(1 << 20):
                copy.write(block)
        partial.replace(place)
        made.unlink()


def _created(path: Path) -> int:
    """A new file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
