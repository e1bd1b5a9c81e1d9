"""Where links lead, written beside what they say: the address is often the answer."""

import mimetypes
import posixpath
import re
from urllib.parse import urlsplit

_ABSOLUTE = re.compile(r"(?:https?|ftp|mailto|tel|sms):", re.IGNORECASE)
_CONTACT = re.compile(r"(?:mailto|tel|sms):", re.IGNORECASE)
_NOT_ALNUM = re.compile(r"[^\w+]|_")
_MAX_TARGET_CHARS = 500


def beside(shown: str, target: str | None) -> str:
    """` (target)` for an absolute link whose text does not say where it leads, else nothing."""
    target = (target or "").strip()
    if not _ABSOLUTE.match(target) or len(target) > _MAX_TARGET_CHARS:
        return ""
    contact = _CONTACT.match(target)
    said = target[contact.end() :].partition("?")[0] if contact else target.rstrip("/")
    if said.rstrip("/") in shown or (contact and _bare(said) in _bare(shown)):
        return ""
    return f" ({said if contact and contact[0].lower() != 'sms:' else target})" if said else ""


def leads_to_contact_or_file(target: str, *, is_download: bool = False) -> bool:
    """Whether a link is a mail address, a telephone number, or a file to take along."""
    if _CONTACT.match(target) or is_download:
        return True
    path = posixpath.basename(urlsplit(target).path) if _ABSOLUTE.match(target) else ""
    kind = mimetypes.guess_type(path)[0] or "text/html"
    return "." in path and not kind.startswith(("text/html", "image/", "application/xhtml"))


def _bare(text: str) -> str:
    """A number or address without what only spaces it out."""
    return _NOT_ALNUM.sub("", text).casefold()
