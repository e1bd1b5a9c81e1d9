"""API keys: `vv_<id>_<secret>`. Kept as a digest, shown once. Pure but for the random numbers."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Scope = Literal["ingest", "converse", "read", "label", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "vv"
MAX_KEY_CHARS = 200


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. The key itself is known to its owner alone."""

    key_id: str
    name: str
    sha256: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def as_author(self) -> str:
        """How a change names who made it."""
        return f"key {self.key_id}"

    def allows(self, scope: Scope) -> bool:
        """Whether the key is good for this; `admin` is good for everything."""
        return scope in self.scopes or "admin" in self.scopes

    def state(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether it opens anything now."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"


def new_key(
    name: str,
    scopes: Iterable[Scope],
    *,
    now: datetime,
    expires_at: datetime | None = None,
    random_hex: Callable[[int], str] = secrets.token_hex,
) -> tuple[str, ApiKey]:
    """A new key and its record. The first is to be shown, the second to be kept."""
    key_id = random_hex(6)
    key = f"{PREFIX}_{key_id}_{random_hex(24)}"
    given = set(scopes)
    wanted: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope in given)
    return key, ApiKey(key_id, name, digest(key), wanted, now, expires_at)


def known_scopes(names: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes with these names; raises `ValueError` for any other name."""
    given = set(names)
    unknown = sorted(given - set(SCOPES))
    if unknown or not given:
        wrong = f"no such scope: {', '.join(unknown)}; " if unknown else ""
        raise ValueError(f"{wrong}choose from {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in given)


def key_id_of(key: str) -> str | None:
    """The part of a key that may be known; None when it has not the form of a key."""
    parts = key.split("_")
    is_one = len(parts) == 3 and parts[0] == PREFIX and len(key) <= MAX_KEY_CHARS
    return parts[1] if is_one else None


def digest(key: str) -> str:
    """What is kept. A key has 192 random bits, so that a plain hash cannot be searched."""
    return hashlib.sha256(key.encode()).hexdigest()


def matches(key: str, record: ApiKey | None) -> bool:
    """Whether `key` is the one of `record`, in a time that does not tell how much of it is."""
    kept = "0" * 64 if record is None else record.sha256
    return hmac.compare_digest(digest(key), kept) and record is not None
