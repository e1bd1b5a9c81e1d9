"""Secrets of the API that many machines share: in the store, and readable with a key alone.

The key is in a file that each machine gets as the platform gives it. Backups and exports of the
database hold nothing that can be read without it.
"""

import base64
import binascii
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from conversation.errors import StoreError
from conversation.server.keys.stored_secrets import StoredSecrets
from conversation.store.shared_files import LOOK_EVERY_S, FileChangedError, SharedFiles

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FOLDER = "secrets"
"""What their rows are called in the store."""
KEY_BYTES = 32
_MOST_TRIES = 5

_log = logging.getLogger(__name__)


class SealingKeyError(StoreError):
    """The key is no key, or not the one that secrets were sealed with."""


class SealedSecrets:
    """Values by id, each sealed in a row of the store. Safe to share between threads."""

    def __init__(
        self,
        files: SharedFiles,
        keys: Sequence[str],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Take the rows of `FOLDER`.

        Args:
            files: In the store.
            keys: 32 random bytes each, in base64. The first seals; all of them open, so that a key
                is exchanged by writing the new one before the old one.
            now: The clock.
            look_every_s: How old what is known of the others' changes may be.

        Raises:
            SealingKeyError: One is no key.
        """
        self._files = files
        self._keys = [_key(each) for each in keys]
        self._now = now
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._looked_s: float | None = None
        self._seen = 0
        self._changes: dict[str, int] = {}
        self._values: dict[str, str] = {}

    def get(self, secret_id: str) -> str | None:
        """A value; None when there is none."""
        return self.values().get(secret_id)

    def values(self) -> Mapping[str, str]:
        """Every value by its id, as it was at most `look_every_s` ago.

        Raises:
            SealingKeyError: One was sealed with a key that is not here.
        """
        with self._lock:
            recent = self._looked_s is not None and (
                time.monotonic() - self._looked_s < self._look_every_s
            )
            if not recent:
                self._look()
            return dict(self._values)

    def put(self, secret_id: str, value: str) -> None:
        """Keep a value in place of what was there, on all machines."""
        self._change(secret_id, self._keys[0].encrypt(value.encode()))

    def remove(self, secret_id: str) -> None:
        """Forget a value, on all machines."""
        self._change(secret_id, None)

    def take_over(self, path: Path) -> int:
        """Seal what lies in the file of one machine, and delete the file; returns how many.

        What the store has already stands there.
        """
        found, known = StoredSecrets(path).values(), self.values()
        for secret_id, value in found.items():
            if secret_id not in known:
                self.put(secret_id, value)
        path.unlink(missing_ok=True)
        if found:
            _log.info("%d secrets of %r lie sealed in the store now", len(found), str(path))
        return len(found)

    def seal_anew(self) -> int:
        """Seal with the first key what an older one sealed; returns how many."""
        sealed = [each for each in self._files.since(0) if each.content is not None]
        old = [each for each in sealed if not _opens(self._keys[0], each.content or b"")]
        values = self.values()
        for each in old:
            self.put(each.name, values[each.name])
        return len(old)

    def _change(self, secret_id: str, content: bytes | None) -> None:
        with self._lock:
            for _ in range(_MOST_TRIES):
                self._look()
                known = self._changes.get(secret_id, 0)
                if content is None and not known:
                    return
                try:
                    self._files.put(secret_id, content, known=known, now=self._now())
                except FileChangedError:
                    continue  # the last one holds, as with one machine
                self._look()
                return
        raise StoreError(f"The secret {secret_id!r} is being changed elsewhere. Try again.")

    def _look(self) -> None:
        for each in self._files.since(self._seen):
            if each.content is None:
                self._values.pop(each.name, None)
                self._changes.pop(each.name, None)
            else:
                self._values[each.name] = self._opened(each.name, each.content)
                self._changes[each.name] = each.change
            self._seen = each.change
        self._looked_s = time.monotonic()

    def _opened(self, secret_id: str, content: bytes) -> str:
        from cryptography.fernet import InvalidToken

        for key in self._keys:
            try:
                return key.decrypt(content).decode()
            except InvalidToken:
                continue
        raise SealingKeyError(
            f"The secret {secret_id!r} was sealed with a key that is not in "
            "VIVAVOCE_SECRETS_KEY_FILE. Add that key below the others, one a line, or delete the "
            "secret and hand it in again."
        )


def sealing_keys(path: Path) -> list[str]:
    """The keys of a file, one a line.

    Raises:
        SealingKeyError: It cannot be read, or holds none.
    """
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SealingKeyError(
            f"The key of secrets {str(path)!r} cannot be read: {reason}. {_REMEDY}"
        ) from None
    if not lines:
        raise SealingKeyError(f"The file {str(path)!r} holds no key. {_REMEDY}")
    return lines


_REMEDY = "Make one by `openssl rand -base64 32`, the same on all machines."


def _key(text: str) -> "Fernet":
    try:
        from cryptography.fernet import Fernet
    except ImportError as error:
        raise SealingKeyError(
            "Sealed secrets want `pip install 'vivavoce[scale]'`, or no VIVAVOCE_SECRETS_KEY_FILE."
        ) from error
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SealingKeyError(f"A key of secrets is no {KEY_BYTES} bytes in base64. {_REMEDY}")
    return Fernet(base64.urlsafe_b64encode(key))


def _opens(key: "Fernet", content: bytes) -> bool:
    from cryptography.fernet import InvalidToken

    try:
        key.decrypt(content)
    except InvalidToken:
        return False
    return True
