"""Signed URLs: who has one may start a conversation with one agent, for a quarter of an hour. Pure.

A signature is two parts in URL-safe base64: what it allows, as JSON, and its HMAC-SHA256.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from conversation.server.errors import BadSignatureError
from conversation.server.socket.frames import PATH

VALID_S = 15 * 60
MAX_SIGNATURE_CHARS = 1_024


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signature allows."""

    agent_id: str
    expires_at_s: int
    """Unix time until which a conversation may be started."""
    signature_id: str
    """Tells one signature from another."""
    conversation_id: str | None = None
    """Set for a signature that starts this one conversation, once."""


def sign(grant: Grant, *, secret: bytes) -> str:
    """The signature that stands for `grant`."""
    content = {
        "a": grant.agent_id,
        "e": grant.expires_at_s,
        "i": grant.signature_id,
        "c": grant.conversation_id,
    }
    payload = _encode(json.dumps(content, separators=(",", ":")).encode())
    return f"{payload}.{_encode(_mac(payload, secret))}"


def verify(signature: str, *, secret: bytes, agent_id: str, now_s: float) -> Grant:
    """What `signature` allows, when it is ours, for this agent and still valid.

    Raises:
        BadSignatureError: It lets nobody in.
    """
    payload, _, mac = signature.partition(".")
    if len(signature) > MAX_SIGNATURE_CHARS or not _is_ours(payload, mac, secret):
        raise BadSignatureError("The signature is not one of this server.")
    grant = _grant(payload)
    if not hmac.compare_digest(grant.agent_id.encode(), agent_id.encode()):
        raise BadSignatureError("The signature is for another agent.")
    if now_s >= grant.expires_at_s:
        raise BadSignatureError("The signed URL has expired; ask for a new one.")
    return grant


def signed_url(base_url: str, grant: Grant, *, secret: bytes) -> str:
    """The WebSocket address that starts a conversation.

    Args:
        base_url: Where clients reach this server, as http or https.
        grant: What it allows.
        secret: The server's.
    """
    parts = urlsplit(base_url)
    scheme = {"https": "wss", "wss": "wss"}.get(parts.scheme, "ws")
    query = urlencode(
        {"agent_id": grant.agent_id, "conversation_signature": sign(grant, secret=secret)},
        quote_via=quote,
    )
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + PATH, query, ""))


def _grant(payload: str) -> Grant:
    found = cast(Mapping[str, Any], json.loads(_decode(payload)))
    return Grant(
        agent_id=str(found["a"]),
        expires_at_s=int(found["e"]),
        signature_id=str(found["i"]),
        conversation_id=None if found["c"] is None else str(found["c"]),
    )


def _is_ours(payload: str, mac: str, secret: bytes) -> bool:
    try:
        return hmac.compare_digest(_mac(payload, secret), _decode(mac))
    except ValueError:  # no base64, or characters that are none
        return False


def _mac(payload: str, secret: bytes) -> bytes:
    return hmac.new(secret, payload.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
