"""Files that others read while they are written: they see all of the old text or all of the new."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write `text` beside `path` and put it there in one step; its folder is made when missing.

    Raises:
        OSError: It cannot be written. What stood there before stands there still.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    following = path.with_name(f"{path.name}.next")
    following.write_text(text, "utf-8")
    following.replace(path)
