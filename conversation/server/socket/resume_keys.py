"""Keys with which a client comes back to its conversation. Pure."""

import hashlib

MIN_KEY_CHARS = 32
MAX_KEY_CHARS = 256


def usable_key(given: object) -> str | None:
    """The digest of a key that is long enough not to be guessed; None for anything else."""
    is_usable = isinstance(given, str) and MIN_KEY_CHARS <= len(given) <= MAX_KEY_CHARS
    return hashlib.sha256(str(given).encode("utf-8", "replace")).hexdigest() if is_usable else None
