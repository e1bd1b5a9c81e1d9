"""Documents: listed and read."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import PlainTextResponse

from conversation.server.access.admission import require
from conversation.server.agents.authoring import Authoring
from conversation.server.context import Authored
from conversation.server.documents.bodies import (
    DependentAgents,
    DocumentAnswer,
    DocumentIds,
    DocumentPage,
    DocumentSummary,
    FolderSummary,
)
from conversation.server.documents.folder_bodies import folder_summary, located
from conversation.server.documents.known_documents import (
    dependent_agent,
    document_answer,
    failure,
    known_document,
    known_documents,
    text_of,
)
from conversation.server.keys.api_keys import ApiKey
from conversation.server.library.folders import FolderTree, known_folder
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, SortKey, page_of

router = APIRouter(prefix="/v1/convai/knowledge-base", tags=["knowledge base"])

MayRead = Annotated[ApiKey, Depends(require("read", "ingest"))]
Kind = Literal["file", "url", "text", "folder"]
Shown = DocumentSummary | FolderSummary


@router.get("", operation_id="list_documents")
def list_documents(
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
    types: Annotated[list[Kind] | None, Query()] = None,
    parent_folder_id: str | None = None,
    ancestor_folder_id: str | None = None,
    folders_first: bool = False,
    sort_by: Literal["name", "created_at", "updated_at", "size"] = "created_at",
    sort_direction: Literal["asc", "desc"] = "desc",
) -> DocumentPage:
    """Documents of the library and of agent files, and folders, whose name holds `search`."""
    falling = sort_direction == "desc"

    def key(shown: Shown) -> SortKey:
        first = {
            "name": shown.name.lower(),
            "created_at": shown.metadata.created_at_unix_secs,
            "updated_at": shown.metadata.last_updated_at_unix_secs,
            "size": shown.metadata.size_bytes,
        }[sort_by]
        is_first = folders_first and (shown.type == "folder") != falling
        return (0 if is_first else int(folders_first), first, shown.id)

    tree = authored.folders.tree()
    for folder_id in (parent_folder_id, ancestor_folder_id):
        if folder_id is not None:
            known_folder(tree, folder_id)
    wanted = [
        shown
        for shown in _everything(authored, tree)
        if (search or "").lower() in shown.name.lower()
        and (not types or shown.type in types)
        and parent_folder_id in (None, shown.folder_parent_id)
        and (ancestor_folder_id is None or tree.is_under(shown.id, ancestor_folder_id))
    ]
    page = page_of(wanted, sort_key=key, page_size=page_size, cursor=cursor, descending=falling)
    return DocumentPage(
        documents=page.items,
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.get("/summaries", operation_id="get_document_summaries")
def get_summaries(
    authored: Authored,
    _key: MayRead,
    document_ids: Annotated[list[str], Query(max_length=100)],
) -> dict[str, dict[str, Any]]:
    """Several documents by their ids; one that is not there is an entry that says so."""
    found = {each.id: each for each in _everything(authored, authored.folders.tree())}
    return {
        document_id: (
            {"status": "success", "data": found[document_id].model_dump()}
            if document_id in found
            else failure(404, "document_not_found", f"There is no document {document_id[:100]!r}.")
        )
        for document_id in document_ids
    }


@router.post("/dependent-agents", operation_id="get_agents_of_documents")
def get_agents_of_several(
    body: DocumentIds,
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> DependentAgents:
    """The agents that answer from any of these documents."""
    return _agents(body.document_ids, authored, page_size=page_size, cursor=cursor)


@router.get("/{document_id}", operation_id="get_document")
def get_document(
    document_id: str, authored: Authored, _key: MayRead
) -> DocumentAnswer | FolderSummary:
    """A document with its text, or a folder."""
    return document_or_folder(document_id, authored)


@router.get("/{document_id}/content", operation_id="get_document_content")
def get_content(document_id: str, authored: Authored, _key: MayRead) -> PlainTextResponse:
    """The text of a document, as it was read; 409 while it is still being read."""
    return PlainTextResponse(text_of(known_document(document_id, authored), authored))


@router.get("/{document_id}/dependent-agents", operation_id="get_agents_of_document")
def get_agents(
    document_id: str,
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> DependentAgents:
    """The agents that answer from a document."""
    known_document(document_id, authored)
    return _agents([document_id], authored, page_size=page_size, cursor=cursor)


def _agents(
    document_ids: list[str], authored: Authoring, *, page_size: int, cursor: str | None
) -> DependentAgents:
    of_agent: dict[str, list[str]] = {}
    by_document = authored.agents_by_document()
    records = {
        record.agent.agent_id: record
        for document_id in document_ids
        for record in by_document.get(document_id, [])
        if of_agent.setdefault(record.agent.agent_id, []).append(document_id) is None
    }
    page = page_of(
        list(records.values()),
        sort_key=lambda record: (record.created_at.timestamp(), record.agent.agent_id),
        page_size=page_size,
        cursor=cursor,
    )
    return DependentAgents(
        agents=[dependent_agent(each, of_agent[each.agent.agent_id]) for each in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


def document_or_folder(entity_id: str, authored: Authoring) -> DocumentAnswer | FolderSummary:
    """What has this id, with its place.

    Raises:
        ApiError: 404.
    """
    tree = authored.folders.tree()
    folder = tree.folders.get(entity_id)
    if folder is not None:
        return folder_summary(folder, tree, known_documents(authored))
    return located(document_answer(known_document(entity_id, authored), authored), tree)


def _everything(authored: Authoring, tree: FolderTree) -> list[Shown]:
    documents = known_documents(authored)
    return [
        *(located(document.summary, tree) for document in documents),
        *(folder_summary(folder, tree, documents) for folder in tree.folders.values()),
    ]
