"""Secrets that were handed in over the API: written, used, and never shown.

They have to be told to others in clear, so a digest will not do. They lie in one file that only
the server's own user can read (mode 0600), beside the store and never in it: backups and exports of
the database hold none.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from conversation.errors import StoreError
from kb.whole_file import written_beside

NAME_PREFIX = "name:"
"""Before a name that agents use; webhooks' own secrets have the webhook's id."""
_OWNER_ONLY = 0o600


class KeptSecrets(Protocol):
    """Values by id, wherever they lie."""

    def get(self, secret_id: str) -> str | None:
        """A value; None when there is none."""
        ...

    def values(self) -> Mapping[str, str]:
        """Every value by its id."""
        ...

    def put(self, secret_id: str, value: str) -> None:
        """Keep a value in place of what was there."""
        ...

    def remove(self, secret_id: str) -> None:
        """Forget a value."""
        ...


class StoredSecrets:
    """Values by id, in one file. Safe to share between threads and processes."""

    def __init__(self, path: Path) -> None:
        """Use `path`; it is made when the first secret is kept."""
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._values: dict[str, str] = {}

    def get(self, secret_id: str) -> str | None:
        """A value; None when there is none."""
        return self.values().get(secret_id)

    def values(self) -> Mapping[str, str]:
        """Every value by its id. The file is read again when it changed."""
        with self._lock:
            try:
                stat = self._path.stat()
            except FileNotFoundError:
                self._seen, self._values = None, {}
                return {}
            seen = (stat.st_mtime_ns, stat.st_ino)
            if seen != self._seen:
                self._values = self._read()
                self._seen = seen
            return dict(self._values)

    def put(self, secret_id: str, value: str) -> None:
        """Keep a value in place of what was there."""
        self._change(secret_id, value)

    def remove(self, secret_id: str) -> None:
        """Forget a value."""
        self._change(secret_id, None)

    def _change(self, secret_id: str, value: str | None) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        from filelock import FileLock

        with FileLock(f"{self._path}.lock", mode=_OWNER_ONLY):
            values = self._read() if self._path.exists() else {}
            values.pop(secret_id, None)
            if value is not None:
                values[secret_id] = value
            self._write(values)

    def _read(self) -> dict[str, str]:
        try:
            found: object = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            # The parser's message, and its cause, would show the line.
            raise StoreError(
                f"The file of secrets {str(self._path)!r} cannot be read. Restore it, or delete "
                "it and hand the secrets in again."
            ) from None
        return cast(dict[str, str], found) if isinstance(found, dict) else {}

    def _write(self, values: Mapping[str, str]) -> None:
        with (
            written_beside(self._path, private=True) as following,
            following.open("w", encoding="utf-8") as stream,
        ):
            json.dump(values, stream)
            stream.flush()
            os.fsync(stream.fileno())


class SecretValues(Mapping[str, str]):
    """Secrets by name: those of the deployment, and those of the API as they stand now."""

    def __init__(self, fixed: Mapping[str, str], stored: KeptSecrets) -> None:
        """Look into `fixed` first."""
        self._fixed = fixed
        self._stored = stored

    def __getitem__(self, name: str) -> str:
        """The value of a secret."""
        found = self._fixed.get(name)
        return self._named()[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        """Names."""
        return iter(dict.fromkeys((*self._fixed, *self._named())))

    def __len__(self) -> int:
        """How many names there are."""
        return len(list(iter(self)))

    def _named(self) -> dict[str, str]:
        return {
            key.removeprefix(NAME_PREFIX): value
            for key, value in self._stored.values().items()
            if key.startswith(NAME_PREFIX)
        }
