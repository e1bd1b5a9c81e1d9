"""Content-Type values."""

import codecs
import re

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
_PYTHONS_OWN = frozenset(
    {
        "idna",
        "mbcs",
        "oem",
        "palmos",
        "punycode",
        "raw-unicode-escape",
        "undefined",
        "unicode-escape",
    }
)
"""Codecs that no server means: some raise whatever is asked of them, one takes quadratic time."""


def split_media_type(header: str) -> tuple[str | None, str | None]:
    """Split a Content-Type value into media type and charset, each None when absent."""
    media_type, *parameters = (part.strip() for part in header.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    charset = next((value for key, _, value in pairs if key.strip().lower() == "charset"), "")
    return media_type.lower() or None, charset.strip().strip("\"'") or None


def text_encoding(charset: str | None) -> str | None:
    """The name of the codec for a stated charset; None for none and for one that is none."""
    if charset is None or not _LABEL.fullmatch(charset):
        return None
    try:
        # Only text codecs take part here: `hex` and `zip` raise.
        "".encode(charset)
        name = codecs.lookup(charset).name
    except (LookupError, UnicodeError):
        return None
    return None if name.replace("_", "-") in _PYTHONS_OWN else name
