"""JSON that this server can keep and write again: finite numbers, characters that exist, no abyss.

Python's parser takes `NaN`, `1e999`, halves of surrogate pairs, NUL (which no text of PostgreSQL
holds), and objects in objects in objects that nothing can write any more. None of them can be
stored or sent, so what holds one is refused before anything is done with it. It also takes UTF-16
and UTF-32, in which a byte that is a quote or a bracket here may be half of a letter; JSON that is
sent is UTF-8 (RFC 8259, 8.1).
"""

import json
import math
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from conversation.server.errors import ApiError

MAX_INTEGER = 2**63 - 1
_SUSPECT = re.compile(
    rb"\\u[dD][89a-fA-F]|\\u0000|\xed[\xa0-\xbf]|NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{19}|\x00"
)
"""Without one of these there is nothing to find; with one, the text may still be harmless."""
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""In JSON as it is written here; a backslash that is itself written with one begins nothing."""


MAX_DEPTH = 100
"""Of objects and lists in each other. Serializers of answers fail between 200 and 300."""
_STRING = re.compile(rb'"(?>(?:[^"\\]++|\\.)*)"?', re.DOTALL)
"""Whole, or up to its end where it has none: so that it is read once."""
_BRACKET = re.compile(rb"[\[\]{}]")


class _OddNumberError(ValueError):
    """A number that cannot be kept."""


def flaw_of(text: str | bytes) -> str | None:
    """What in a JSON text cannot be kept; None for a good text, and for one that is no JSON."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if isinstance(text, bytes) and not _is_utf8(text):
        return "JSON has to be UTF-8, and this is not"
    if is_too_deep(data):
        return f"it holds more than {MAX_DEPTH} objects or lists in each other"
    if not _SUSPECT.search(data):
        return None
    try:
        found = json.loads(text, parse_constant=_odd, parse_float=_finite, parse_int=_small)
        written = json.dumps(found, ensure_ascii=False)
        written.encode()
    except _OddNumberError:
        return "it holds a number that is not finite or too large"
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no character"
    except (ValueError, RecursionError):
        return None
    return "it holds the character NUL, which no text can keep" if _NUL.search(written) else None


def holds_nul(scope: Scope) -> bool:
    """Whether an address holds the character that no text that is kept can hold."""
    return b"%00" in scope["query_string"] or "\0" in scope["path"]


def is_too_deep(data: bytes) -> bool:
    """Whether a JSON text has more than `MAX_DEPTH` objects or lists in each other."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _is_utf8(data: bytes) -> bool:
    """Whether the parser reads it as UTF-8, which it guesses from the first bytes, and it is."""
    if json.detect_encoding(data) not in ("utf-8", "utf-8-sig"):
        return False
    try:
        # Half a surrogate pair has a reason of its own.
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


async def with_plain_json(scope: Scope, receive: Receive) -> Receive:
    """`receive` of a request, whose JSON body was looked through; others pass unread.

    Raises:
        ApiError: The body holds what cannot be kept.
    """
    media_type = (Headers(scope=scope).get("content-type") or "application/json").lower()
    if scope["method"] in ("GET", "HEAD", "OPTIONS") or "json" not in media_type:
        return receive
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
        if messages[-1]["type"] != "http.request":
            break
    flaw = flaw_of(b"".join(message.get("body", b"") for message in messages))
    if flaw is not None:
        raise ApiError(422, "unusable_json", f"The body cannot be kept: {flaw}.")
    waiting = iter(messages)

    async def replay() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replay


def _odd(_name: str) -> Any:
    raise _OddNumberError


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise _OddNumberError
    return number


def _small(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_INTEGER:
        raise _OddNumberError
    return int(digits)
