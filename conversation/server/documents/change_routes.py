"""Documents: handed in, changed and deleted. They are read in the background."""

from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile

from conversation.server.access.admission import require
from conversation.server.agents.authoring import Authoring
from conversation.server.context import Authored
from conversation.server.documents.bodies import (
    AddedDocument,
    DocumentAnswer,
    DocumentChanges,
    FolderSummary,
    NewPage,
    NewText,
    PageUrl,
    ToDelete,
)
from conversation.server.documents.folder_bodies import folder_summary, segments
from conversation.server.documents.known_documents import (
    document_answer,
    failure,
    known_document,
    known_documents,
)
from conversation.server.documents.routes import document_or_folder
from conversation.server.errors import IN_THE_WAY, ApiError, not_supported
from conversation.server.incoming.names import ReadableName, cleaned_name
from conversation.server.keys.api_keys import ApiKey
from conversation.server.library.folders import Folder, known_folder
from conversation.server.library.library import LibraryDocument

router = APIRouter(prefix="/v1/convai/knowledge-base", tags=["knowledge base"])

MayIngest = Annotated[ApiKey, Depends(require("ingest"))]
AgentId = Annotated[
    str | None, Query(max_length=128, description="An agent that answers from it at once.")
]


@router.post("/url", operation_id="create_document_from_url")
def create_from_url(body: NewPage, authored: Authored, key: MayIngest) -> AddedDocument:
    """Hand in a page. One that is known by this URL is read again."""
    _require_folder(body.parent_folder_id, authored)
    _refuse_auto_sync(body.enable_auto_sync)
    document = _new_page(body.url, body.name, authored)
    return _added(document, authored, body.parent_folder_id, by=key.as_author)


@router.post("/text", operation_id="create_document_from_text")
def create_from_text(body: NewText, authored: Authored, key: MayIngest) -> AddedDocument:
    """Hand in a text."""
    _require_folder(body.parent_folder_id, authored)
    if not body.text.strip():
        raise ApiError(422, "empty_document", "The text is empty.")
    name = body.name or body.text.strip().splitlines()[0][:60]
    document = authored.library.add_file(
        body.text.encode("utf-8", "replace"),
        file_name=name,
        name=name,
        kind="text",
        now=authored.clock(),
    )
    return _added(document, authored, body.parent_folder_id, by=key.as_author)


@router.post("/file", operation_id="create_document_from_file")
def create_from_file(
    authored: Authored,
    key: MayIngest,
    file: Annotated[UploadFile, File(description="PDF, DOCX, HTML, EPUB, Markdown, text, ...")],
    name: Annotated[ReadableName | None, Form(max_length=200)] = None,
    parent_folder_id: Annotated[str | None, Form()] = None,
) -> AddedDocument:
    """Hand in a file. What it is, is told by its content."""
    _require_folder(parent_folder_id, authored)
    document = _new_file(file, name, authored)
    return _added(document, authored, parent_folder_id, by=key.as_author)


@router.post("", operation_id="add_to_knowledge_base")
def add(
    authored: Authored,
    key: MayIngest,
    agent_id: AgentId = None,
    name: Annotated[ReadableName | None, Form(max_length=200)] = None,
    url: Annotated[PageUrl | None, Form()] = None,
    file: Annotated[UploadFile | None, File()] = None,
) -> AddedDocument:
    """Hand in a file or a page, and have an agent answer from it; the older way of both."""
    if (url is None) == (file is None):
        raise ApiError(422, "one_source", "Give either `url` or `file`.")
    if agent_id is not None:
        authored.records.get(agent_id)
    if file is not None:
        document = _new_file(file, name, authored)
    else:
        document = _new_page(str(url), name, authored)
    added = _added(document, authored, by=key.as_author)
    if agent_id is not None:
        _attach(agent_id, document, authored, by=key.as_author)
    return added


@router.post("/bulk-delete", operation_id="delete_documents")
def delete_several(body: ToDelete, authored: Authored, key: MayIngest) -> dict[str, dict[str, Any]]:
    """Delete several documents; one that cannot be deleted is an entry that says why."""
    answers: dict[str, dict[str, Any]] = {}
    for document_id in dict.fromkeys(body.document_ids):
        try:
            _delete(document_id, authored, by=key.as_author, force=body.force)
        except ApiError as error:
            answers[document_id] = failure(error.status_code, error.status, error.message)
        else:
            answers[document_id] = {"status": "success", "data": {"id": document_id}}
    return answers


@router.patch("/{document_id}", operation_id="update_document")
def update_document(
    document_id: str, body: DocumentChanges, authored: Authored, _key: MayIngest
) -> DocumentAnswer | FolderSummary:
    """Give a document another name or another content, which is then read again."""
    _refuse_auto_sync(body.enable_auto_sync)
    folder = authored.folders.tree().folders.get(document_id)
    if folder is not None:
        return _renamed(folder, body, authored)
    _stored(document_id, authored)
    if body.name is not None:
        authored.library.rename(document_id, body.name, now=authored.clock())
    if body.content is not None:
        data = body.content.encode("utf-8", "replace")
        authored.library.replace_content(document_id, data, now=authored.clock())
        authored.ingestion.wake()
    return document_or_folder(document_id, authored)


@router.patch("/{document_id}/update-file", operation_id="update_document_file")
def update_file(
    document_id: str,
    authored: Authored,
    _key: MayIngest,
    file: Annotated[UploadFile, File()],
) -> DocumentAnswer:
    """Put another file in the place of one; what it is, is told by its content."""
    _stored(document_id, authored)
    authored.library.replace_content(document_id, _content(file), now=authored.clock())
    authored.ingestion.wake()
    return document_answer(known_document(document_id, authored), authored)


@router.post("/{document_id}/refresh", operation_id="refresh_document")
def refresh(document_id: str, authored: Authored, _key: MayIngest) -> DocumentAnswer:
    """Read a document once more: a page that changed, or one that could not be read."""
    document = known_document(document_id, authored)
    if document.stored is None:
        for record in document.agents:
            authored.request_sync(record.agent.agent_id)
    else:
        authored.library.read_again(document_id, now=authored.clock())
        authored.ingestion.wake()
    return document_answer(known_document(document_id, authored), authored)


@router.delete("/{document_id}", operation_id="delete_document", status_code=204)
def delete_document(
    document_id: str, authored: Authored, key: MayIngest, force: bool = False
) -> None:
    """Delete a document with its text. With `force` also one that agents answer from.

    A folder that is not empty is deleted with `force`, and everything in it.
    """
    _delete(document_id, authored, by=key.as_author, force=force)


def _new_page(url: str, name: str | None, authored: Authoring) -> LibraryDocument:
    return authored.library.add_url(url, name=name, now=authored.clock())


def _new_file(file: UploadFile, name: str | None, authored: Authoring) -> LibraryDocument:
    file_name = cleaned_name(PurePath((file.filename or "document").replace("\\", "/")).name)
    return authored.library.add_file(
        _content(file),
        file_name=file_name,
        name=name or file_name,
        kind="file",
        now=authored.clock(),
    )


def _content(file: UploadFile) -> bytes:
    data = file.file.read()
    if not data:
        raise ApiError(422, "empty_document", f"The file {(file.filename or '')[:100]!r} is empty.")
    return data


def _added(
    document: LibraryDocument, authored: Authoring, folder_id: str | None = None, *, by: str
) -> AddedDocument:
    if folder_id is not None:
        try:
            authored.following.place(document.document_id, folder_id, by=by)
        except ApiError:
            _not_wanted(document, authored)
            raise
    authored.ingestion.wake()
    path = segments(authored.folders.tree(), document.document_id)
    return AddedDocument(id=document.document_id, name=document.name, folder_path=path)


def _attach(agent_id: str, document: LibraryDocument, authored: Authoring, *, by: str) -> None:
    try:
        authored.attach(agent_id, document.document_id, by=by)
    except ApiError:
        _not_wanted(document, authored)
        raise


def _not_wanted(document: LibraryDocument, authored: Authoring) -> None:
    """Take it out again: it was asked for where it cannot be. A page may have been there before."""
    if document.kind != "url":
        authored.library.remove(document.document_id)


def _stored(document_id: str, authored: Authoring) -> LibraryDocument:
    """A document of the library; those that agent files name are changed where they are."""
    document = known_document(document_id, authored)
    if document.stored is None:
        raise ApiError(
            IN_THE_WAY,
            "document_of_agent_file",
            f"{document.name!r} is named by an agent file; change it there.",
        )
    return document.stored


def _delete(document_id: str, authored: Authoring, *, by: str, force: bool) -> None:
    folder = authored.folders.tree().folders.get(document_id)
    if folder is not None:
        _delete_folder(folder, authored, by=by, force=force)
        return
    document = known_document(document_id, authored)
    if document.agents and not force:
        names = ", ".join(repr(record.agent.agent_id) for record in document.agents[:5])
        raise ApiError(
            IN_THE_WAY,
            "document_in_use",
            f"Agents answer from {document.name!r}: {names}. Take it out of them first, or "
            "delete it with `force`.",
        )
    authored.detach(document_id, by=by)
    if document.stored is not None:
        authored.library.remove(document_id)
    authored.folders.remove(document_id)


def _delete_folder(folder: Folder, authored: Authoring, *, by: str, force: bool) -> None:
    tree = authored.folders.tree()
    own_id = folder.folder_id
    inside = [
        each.document_id
        for each in known_documents(authored)
        if tree.is_under(each.document_id, own_id)
    ]
    below = tree.below(own_id)
    if (inside or below) and not force:
        raise ApiError(
            IN_THE_WAY,
            "folder_not_empty",
            f"{folder.name!r} holds {len(inside)} documents and {len(below)} folders. Move them "
            "elsewhere first, or delete it and all of them with `force`.",
        )
    answering = authored.following.agents_with([own_id, *(each.folder_id for each in below)])
    if answering and not force:
        names = ", ".join(repr(record.agent.agent_id) for record in answering[:5])
        raise ApiError(
            IN_THE_WAY,
            "folder_in_use",
            f"Agents answer from what is in {folder.name!r}: {names}. Take it out of them first, "
            "or delete it with `force`.",
        )
    for document_id in inside:
        _delete(document_id, authored, by=by, force=True)
    for each in (*below, folder):
        authored.folders.remove(each.folder_id)


def _renamed(folder: Folder, body: DocumentChanges, authored: Authoring) -> FolderSummary:
    if body.content is not None:
        raise ApiError(422, "unsupported_parameter", "A folder has no `content`.")
    if body.name is not None:
        authored.folders.rename(folder, body.name, now=authored.clock())
    tree = authored.folders.tree()
    present = known_folder(tree, folder.folder_id)
    return folder_summary(present, tree, known_documents(authored))


def _refuse_auto_sync(enable_auto_sync: bool | None) -> None:
    if enable_auto_sync:
        raise not_supported(
            "`enable_auto_sync`: pages are read again on request or by Dagster's schedule.",
        )


def _require_folder(folder_id: str | None, authored: Authoring) -> None:
    if folder_id is not None:
        known_folder(authored.folders.tree(), folder_id)
