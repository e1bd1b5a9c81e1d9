"""Links to source files: who has one may fetch one document, for a quarter of an hour. Pure."""

import base64
import hashlib
import hmac

from conversation.server.errors import BadSignatureError


def sign_document(document_id: str, *, expires_at_s: int, secret: bytes) -> str:
    """What lets its bearer fetch this document until this Unix time."""
    # What is signed for conversations is base64: it holds no line break, so neither can be taken
    # for the other.
    signed = f"source file\n{document_id}\n{expires_at_s}".encode()
    mac = hmac.new(secret, signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def verify_document(
    signature: str, document_id: str, *, expires_at_s: int, secret: bytes, now_s: float
) -> None:
    """Nothing, when the signature is ours, for this document and still valid.

    Raises:
        BadSignatureError: It lets nobody in.
    """
    expected = sign_document(document_id, expires_at_s=expires_at_s, secret=secret)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise BadSignatureError("The signature is not one of this server for this document.")
    if now_s >= expires_at_s:
        raise BadSignatureError("The link has expired; ask for a new one.")
