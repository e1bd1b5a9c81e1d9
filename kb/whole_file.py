"""Files that others read while they are written: they see all of the old text or all of the new."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_OF_ANYBODY = 0o666
_OF_THE_OWNER = 0o600


def write_whole(
    path: Path, content: str | bytes, *, private: bool = False, at_once: bool = False
) -> None:
    """Write text (in UTF-8) or bytes beside `path` and put them there in one step.

    Args:
        path: Where they will stand; its folder is made when missing.
        content: All of the file.
        private: Whether nobody but the owner may read it, at no moment.
        at_once: As for `written_beside`.

    Raises:
        OSError: It cannot be written. What stood there before stands there still.
    """
    with written_beside(path, private=private, at_once=at_once) as following:
        following.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def written_beside(path: Path, *, private: bool = False, at_once: bool = False) -> Generator[Path]:
    """An empty hidden file beside `path` for the block to fill; it takes the place of `path` then.

    Where the block fails, it is removed, and what stood there before stands there still.

    Args:
        path: Where it will stand; its folder is made when missing.
        private: Whether nobody but the owner may read it, at no moment.
        at_once: Whether several may write the same file at a time: each gets a file of its own, the
            last one stands. What a killed writer leaves is not taken by the next one, then.

    Raises:
        OSError: It cannot be made, or not be put there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = f".{os.getpid()}-{threading.get_native_id()}" if at_once else ""
    following = path.with_name(f".{path.name}{writer}.next")
    following.unlink(missing_ok=True)
    mode = _OF_THE_OWNER if private else _OF_ANYBODY
    os.close(os.open(following, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield following
        following.replace(path)
    finally:
        following.unlink(missing_ok=True)
