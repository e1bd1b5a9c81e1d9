"""Uploaded files of several machines: each is at an address, whoever needs it has a copy."""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from conversation.errors import StoreUnavailableError
from kb.whole_file import write_whole

_DIGEST = ".sha256"


class SharedUploads:
    """Files by their place below the library's folder. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Take the address of a folder that fsspec knows; credentials come from where it looks."""
        self._url = url.rstrip("/")

    def put(self, source: str, data: bytes) -> None:
        """Put a file there, in the place of an earlier one.

        Raises:
            StoreUnavailableError: The address does not take it.
        """
        with self._telling("does not take the file"):
            filesystem, root = self._place
            path = f"{root}/{source}"
            filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
            filesystem.pipe_file(path, data)
            # Last: whoever finds it finds the file that it is of.
            filesystem.pipe_file(f"{path}{_DIGEST}", hashlib.sha256(data).hexdigest().encode())

    def bring(self, source: str, path: Path) -> None:
        """Have `path` be the file as it is there; a file that is not there stays as it is here.

        Raises:
            StoreUnavailableError: The address does not answer, or a file is just being replaced.
        """
        with self._telling("does not give the file"):
            filesystem, root = self._place
            filesystem.invalidate_cache()
            if not filesystem.exists(f"{root}/{source}{_DIGEST}"):
                return
            digest = bytes(filesystem.cat_file(f"{root}/{source}{_DIGEST}")).decode("ascii")
            if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                return
            data = bytes(filesystem.cat_file(f"{root}/{source}"))
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreUnavailableError(
                f"The file {source!r} at {self._url!r} is just being replaced."
            )
        write_whole(path, data)

    def delete(self, source: str) -> None:
        """Delete a file there; one that is not there is passed over."""
        with self._telling("does not delete the file"):
            filesystem, root = self._place
            filesystem.invalidate_cache()
            for path in (f"{root}/{source}{_DIGEST}", f"{root}/{source}"):
                if filesystem.exists(path):
                    filesystem.rm_file(path)

    @cached_property
    def _place(self) -> tuple[Any, str]:
        core: Any = import_module("fsspec.core")
        filesystem, root = core.url_to_fs(self._url)
        return filesystem, str(root).rstrip("/")

    @contextmanager
    def _telling(self, what: str) -> Generator[None]:
        try:
            yield
        # Each filesystem raises what its own client raises, which has no class in common.
        except Exception as error:
            raise StoreUnavailableError(
                f"The address of uploaded files {self._url!r} {what} ({type(error).__name__}: "
                f"{error}). Check VIVAVOCE_KB_URL, the credentials and the server, and try again."
            ) from error
