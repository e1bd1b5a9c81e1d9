"""What is kept is for the server's own user: conversations, verdicts, secrets, vectors."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""Every right of the group and of everybody else."""


def make_private() -> None:
    """Have this process, and those that it starts, make files that nobody else can open."""
    os.umask(OTHERS)


def open_to_others(folder: Path) -> Iterator[Path]:
    """The folder and what lies in it, as far as others have any right to it. Links are left."""
    if not folder.is_dir():
        return
    yield from filter(_is_open, (folder,))
    for place, folders, files in os.walk(folder):
        yield from filter(_is_open, (Path(place, name) for name in (*folders, *files)))


def close_to_others(paths: Iterable[Path]) -> tuple[int, list[Path]]:
    """Take the rights of others away. Returns how often that was done, and where it could not."""
    done = 0
    left: list[Path] = []
    for path in paths:
        try:
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
            done += 1
        except FileNotFoundError:
            # Another process has deleted it meanwhile.
            continue
        except PermissionError:
            left.append(path)
    return done, left


def _is_open(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(mode) and bool(mode & OTHERS)
