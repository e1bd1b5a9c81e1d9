"""Folders of documents: made, filled, and shown as documents are."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from conversation.server.access.admission import require
from conversation.server.agents.authoring import Authoring
from conversation.server.agents.bodies import MAX_NAME_CHARS
from conversation.server.context import Authored
from conversation.server.documents.bodies import AddedDocument
from conversation.server.documents.folder_bodies import segments
from conversation.server.documents.known_documents import known_document
from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName
from conversation.server.keys.api_keys import ApiKey

router = APIRouter(prefix="/v1/convai/knowledge-base", tags=["knowledge base"])

MayIngest = Annotated[ApiKey, Depends(require("ingest"))]
FolderId = Annotated[str | None, Field(max_length=100)]


class NewFolder(Body):
    """A folder to make."""

    name: ReadableName = Field(min_length=1, max_length=MAX_NAME_CHARS)
    parent_folder_id: FolderId = None


class Destination(Body):
    """Where to; null and nothing are the root."""

    move_to: FolderId = None


class ToMove(Destination):
    """Several documents or folders to move."""

    document_ids: list[str] = Field(min_length=1, max_length=100)


@router.post("/folder", operation_id="create_folder")
def create_folder(body: NewFolder, authored: Authored, _key: MayIngest) -> AddedDocument:
    """Make a folder. Agents that name it answer from all that lies in it."""
    made = authored.folders.create(body.name, body.parent_folder_id, now=authored.clock())
    tree = authored.folders.tree()
    return AddedDocument(
        id=made.folder_id, name=made.name, folder_path=segments(tree, made.folder_id)
    )


@router.post("/{document_id}/move", operation_id="move_document", status_code=204)
def move(document_id: str, body: Destination, authored: Authored, key: MayIngest) -> None:
    """Put a document or a folder into a folder."""
    _move([document_id], body.move_to, authored, by=key.as_author)


@router.post("/bulk-move", operation_id="move_documents", status_code=204)
def move_several(body: ToMove, authored: Authored, key: MayIngest) -> None:
    """Put several documents or folders into a folder; if one of them is not there, none."""
    _move(list(dict.fromkeys(body.document_ids)), body.move_to, authored, by=key.as_author)


def _move(entity_ids: list[str], to: str | None, authored: Authoring, *, by: str) -> None:
    folders = authored.folders.tree().folders
    for each in entity_ids:
        if each not in folders:
            known_document(each, authored)
    with authored.following.moving(entity_ids, to, by=by):
        for each in entity_ids:
            authored.folders.move(each, to, now=authored.clock())
