"""Documents at any address that fsspec knows (`s3://`, `gs://`, `abfs://`, `sftp://`, ...).

Ingest works on files: what the addresses name is copied into a folder of the store first, and only
what changed is copied again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kb.whole_file import written_beside

_NOTES = "copied.json"
_PATTERN_CHARS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What was copied of one address."""

    url: str
    files: tuple[Path, ...]
    """Local copies, sorted by their place below the address."""
    copied: int
    """Of those, how many were new or had changed."""
    problem: str | None = None
    """Why the address could not be read; `files` are then those of the last time."""


def is_remote(entry: str) -> bool:
    """Whether an entry under `knowledge_base.files` is an address and not a path."""
    return "://" in entry


def mirror(urls: Iterable[str], folder: Path) -> list[Mirrored]:
    """Bring the copies below `folder` up to date.

    A folder stands for every file in it and below, a pattern such as `s3://docs/guides/*.md` for
    what it matches. Copies of what is gone are deleted. An address that cannot be read is said so,
    keeps its old copies, and stops none of the others.

    Args:
        urls: Addresses; credentials come from where each fsspec implementation looks for them.
        folder: Holds a folder of its own for each address.
    """
    return [_mirror_one(url, folder / _key(url)) for url in urls]


def copies(urls: Iterable[str], folder: Path) -> list[Path]:
    """Copies that were made before, without looking at the addresses.

    An address that was never read stands for a file that is not there, so that reading it says so.
    """
    found: list[Path] = []
    for url in urls:
        noted = _noted(folder / _key(url))
        names = sorted(noted) or [PurePosixPath(url).name or "files"]
        found += [folder / _key(url) / name for name in names]
    return found


def _mirror_one(url: str, folder: Path) -> Mirrored:
    noted = _noted(folder)
    try:
        filesystem, listed = _listed(url)
        marks = {name: str(filesystem.ukey(path)) for name, path in listed.items()}
        changed = [
            name
            for name in listed
            if noted.get(name) != marks[name] or not (folder / name).is_file()
        ]
        for name in changed:
            _copy(filesystem, listed[name], folder / name)
    except (OSError, ValueError, ImportError) as error:
        kept = tuple(folder / name for name in sorted(noted))
        return Mirrored(url, kept, 0, f"{url!r} cannot be read: {type(error).__name__}: {error}")
    for name in noted.keys() - listed.keys():
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    following = folder / f"{_NOTES}.next"
    following.write_text(json.dumps(marks, sort_keys=True), "utf-8")
    following.replace(folder / _NOTES)
    return Mirrored(url, tuple(folder / name for name in sorted(listed)), len(changed))


def _listed(url: str) -> tuple[Any, dict[str, str]]:
    """Files that an address names: by their place below it, where the filesystem has them."""
    from fsspec.core import url_to_fs

    filesystem, root = url_to_fs(url)
    if _PATTERN_CHARS.intersection(root):
        base = root[: min(root.index(char) for char in _PATTERN_CHARS if char in root)]
        base = base.rpartition("/")[0]
        paths = [path for path in filesystem.glob(root) if filesystem.isfile(path)]
    elif filesystem.isdir(root):
        base, paths = root, filesystem.find(root)
    elif filesystem.isfile(root):
        base, paths = root.rpartition("/")[0], [root]
    else:
        raise FileNotFoundError(f"nothing is there, or it may not be read ({root!r})")
    named = {path: str(path).removeprefix(base).lstrip("/") for path in paths}
    return filesystem, {name: path for path, name in named.items() if _is_shown(name)}


def _is_shown(name: str) -> bool:
    """Hidden files are left out; so is a name that would leave the folder of copies."""
    parts = PurePosixPath(name).parts
    return bool(parts) and not any(part.startswith((".", "~$")) for part in parts)


def _copy(filesystem: Any, path: str, target: Path) -> None:
    with (
        written_beside(target) as following,
        filesystem.open(path, "rb") as source,
        following.open("wb") as copy,
    ):
        shutil.copyfileobj(source, copy)


def _noted(folder: Path) -> dict[str, str]:
    path = folder / _NOTES
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
