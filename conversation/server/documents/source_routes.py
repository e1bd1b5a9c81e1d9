"""The file of a document as it was handed in."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import FileResponse

from conversation.server.access.document_links import sign_document, verify_document
from conversation.server.access.own_address import own_base_url
from conversation.server.agents.authoring import Authoring
from conversation.server.context import Authored, Context
from conversation.server.documents.known_documents import known_document
from conversation.server.documents.routes import MayRead
from conversation.server.errors import ApiError, BadSignatureError, not_found
from conversation.server.keys.signing import VALID_S
from kb.document import FileSource

router = APIRouter(prefix="/v1/convai/knowledge-base", tags=["knowledge base"])


class SourceFileUrl(BaseModel):
    """Where to fetch the file, without a key, for fifteen minutes."""

    signed_url: str
    """Relative when the server does not know its own name (`--public-url`)."""


@router.get("/{document_id}/source-file-url", operation_id="get_source_file_url")
def get_source_file_url(
    document_id: str, request: Request, context: Context, authored: Authored, _key: MayRead
) -> SourceFileUrl:
    """A link to the file of a document that was handed in as a file or a text."""
    document = known_document(document_id, authored)
    if document.stored is None:
        said = f"{document.name!r} is named by an agent file; it lies where that file says."
        raise ApiError(400, "document_of_agent_file", said)
    if document.kind == "url":
        raise ApiError(400, "not_a_file", f"{document.name!r} is a page: see {document.source}")
    _file(document_id, authored)
    expires_at_s = int((context.clock() + timedelta(seconds=VALID_S)).timestamp())
    signature = sign_document(document_id, expires_at_s=expires_at_s, secret=context.secret)
    base_url = own_base_url(request, context) or ""
    query = urlencode({"expires_at": expires_at_s, "signature": signature})
    path = f"{router.prefix}/{quote(document_id, safe='')}/source-file"
    return SourceFileUrl(signed_url=f"{base_url}{path}?{query}")


@router.get(
    "/{document_id}/source-file",
    operation_id="get_source_file",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/octet-stream": {}}},
        403: {"description": "The signature is none of this server, or has expired."},
    },
)
def get_source_file(
    document_id: str,
    context: Context,
    authored: Authored,
    expires_at: Annotated[int, Query(ge=0, le=253_402_300_798, description="Unix time, s.")],
    signature: Annotated[str, Query(max_length=100)],
) -> FileResponse:
    """The file, for whoever has a link of `source-file-url`; to keep, not shown as a page."""
    try:
        verify_document(
            signature,
            document_id,
            expires_at_s=expires_at,
            secret=context.secret,
            now_s=context.clock().timestamp(),
        )
    except BadSignatureError as error:
        raise ApiError(403, "invalid_signature", str(error)) from error
    path = _file(document_id, authored)
    headers = {"x-content-type-options": "nosniff", "cache-control": "private, no-store"}
    return FileResponse(
        path, filename=path.name, media_type="application/octet-stream", headers=headers
    )


def _file(document_id: str, authored: Authoring) -> Path:
    """Where the library keeps it; raises 404 when it holds no such file."""
    found = authored.library.find(document_id)
    if found is not None:
        authored.library.bring(found)
    source = None if found is None else authored.library.source_of(found)
    if not isinstance(source, FileSource) or not source.path.is_file():
        raise not_found("source_file", document_id[:100])
    return source.path
