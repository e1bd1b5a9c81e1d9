"""How documents are found: the index and its state, chunks, and search."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from conversation.server.agents.authoring import Authoring
from conversation.server.agents.shown_agent import OUR_EMBEDDING_MODEL
from conversation.server.context import Authored
from conversation.server.documents.bodies import (
    DocumentChunk,
    DocumentChunks,
    DocumentIndex,
    DocumentIndexes,
    FoundDocument,
    FoundDocuments,
    IndexOverview,
    IndexUsage,
    ModelUsage,
    TextSegment,
    WantedIndex,
    WantedIndexes,
)
from conversation.server.documents.change_routes import MayIngest
from conversation.server.documents.known_documents import (
    KnownDocument,
    chunks_of,
    failure,
    known_document,
    known_documents,
)
from conversation.server.documents.named_progress import agents_without
from conversation.server.documents.routes import Kind, MayRead
from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.server.library.folders import Folder
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of

router = APIRouter(prefix="/v1/convai/knowledge-base", tags=["knowledge base"])

_PROGRESS = {"new": 0.0, "created": 0.0, "processing": 50.0, "succeeded": 100.0, "failed": 0.0}
Model = Annotated[str | None, Query(max_length=100, description="Any; there is one index for all.")]


@router.get("/rag-index", operation_id="get_index_overview")
def get_overview(authored: Authored, _key: MayRead) -> IndexOverview:
    """What the texts of all documents take, of what they may."""
    used = sum(each.bytes for each in authored.library.documents())
    limit = authored.library.limits.total_bytes
    return IndexOverview(
        total_used_bytes=used,
        total_max_bytes=2**63 - 1 if limit is None else limit,
        models=[ModelUsage(model=OUR_EMBEDDING_MODEL, used_bytes=used)],
    )


@router.post("/rag-index", operation_id="get_or_create_indexes")
def get_or_create_indexes(
    body: WantedIndexes, authored: Authored, _key: MayIngest
) -> dict[str, dict[str, Any]]:
    """How far several documents are; one that is not there is an entry that says so."""
    known = {document.document_id: document for document in known_documents(authored)}
    folders = authored.folders.tree().folders
    answers: dict[str, dict[str, Any]] = {}
    for item in body.items:
        document = known.get(item.document_id)
        if (folder := folders.get(item.document_id)) is not None:
            index = _no_index(folder, item.model)
            answers[item.document_id] = {"status": "success", "data": index.model_dump()}
        elif document is None:
            said = f"There is no document {item.document_id[:100]!r}."
            answers[item.document_id] = failure(404, "document_not_found", said)
        else:
            if item.create_if_missing:
                document = _asked_to_be_read(document, authored)
            index = _index(document, item.model)
            answers[item.document_id] = {"status": "success", "data": index.model_dump()}
    return answers


@router.get("/search", operation_id="search_documents")
def search(
    authored: Authored,
    _key: MayRead,
    query: Annotated[str, Query(min_length=1, max_length=1_000)],
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    types: Annotated[list[Kind] | None, Query()] = None,
) -> FoundDocuments:
    """Documents of the library that answer a question, each with its best passage."""
    known = {
        authored.library.indexed_id(document.stored): document
        for document in known_documents(authored)
        if document.stored is not None and (not types or document.kind in types)
    }
    results: dict[str, FoundDocument] = {}
    for passage in authored.library.index.retrieve(query, limit=2 * page_size):
        document = known.get(passage.document_id)
        if document is not None and document.document_id not in results:
            results[document.document_id] = FoundDocument(
                document=document.summary,
                search_snippet=[TextSegment(value=passage.text)],
                score=passage.score,
            )
    return FoundDocuments(results=list(results.values())[:page_size])


@router.post("/{document_id}/rag-index", operation_id="compute_index")
def compute_index(
    document_id: str, body: WantedIndex, authored: Authored, _key: MayIngest
) -> DocumentIndex:
    """How far a document is on its way into the index, which it goes by itself.

    One that an agent file names and that was never read is read from now on. Ask until it is
    `succeeded`, when every agent that names it answers from it, or `failed`. A folder has no index
    of its own: `cannot_index_folder`.
    """
    if (folder := authored.folders.tree().folders.get(document_id)) is not None:
        return _no_index(folder, body.model)
    document = _asked_to_be_read(known_document(document_id, authored), authored)
    return _index(document, body.model)


@router.get("/{document_id}/rag-index", operation_id="get_indexes")
def get_indexes(document_id: str, authored: Authored, _key: MayRead) -> DocumentIndexes:
    """The one index of a document; a folder has none."""
    if document_id in authored.folders.tree().folders:
        return DocumentIndexes(indexes=[])
    return DocumentIndexes(indexes=[_index(known_document(document_id, authored))])


@router.delete(
    "/{document_id}/rag-index/{index_id}", operation_id="delete_index", status_code=IN_THE_WAY
)
def delete_index(document_id: str, index_id: str, authored: Authored, _key: MayIngest) -> None:
    """Refused: a document without its index could not be found."""
    document = known_document(document_id, authored)
    if index_id != _index_id(document):
        raise not_found("index", index_id[:100])
    raise ApiError(
        IN_THE_WAY,
        "index_required",
        f"{document.name!r} is found by its index. Delete the document, or take it out of agents.",
    )


@router.get("/{document_id}/chunks", operation_id="list_chunks")
def list_chunks(
    document_id: str,
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
    embedding_model: Model = None,
) -> DocumentChunks:
    """The parts of a document in reading order; none as long as it was not read."""
    document = known_document(document_id, authored)
    page = page_of(
        chunks_of(document, authored),
        sort_key=lambda chunk: (float(chunk.ordinal),),
        page_size=page_size,
        cursor=cursor,
    )
    return DocumentChunks(
        chunks=[_chunk(document, chunk.chunk_id, chunk.text) for chunk in page.items],
        next_cursor=page.next_cursor,
    )


@router.get("/{document_id}/chunk/{chunk_id}", operation_id="get_chunk")
def get_chunk(
    document_id: str,
    chunk_id: str,
    authored: Authored,
    _key: MayRead,
    embedding_model: Model = None,
) -> DocumentChunk:
    """One part of a document."""
    document = known_document(document_id, authored)
    for chunk in chunks_of(document, authored):
        if chunk.chunk_id == chunk_id:
            return _chunk(document, chunk_id, chunk.text)
    raise not_found("chunk", chunk_id[:100])


def _asked_to_be_read(document: KnownDocument, authored: Authoring) -> KnownDocument:
    if document.status != "new":
        return document
    for agent_id in agents_without(document.document_id, document.agents, authored):
        authored.request_sync(agent_id)
    return known_document(document.document_id, authored)


def _index(document: KnownDocument, model: str = OUR_EMBEDDING_MODEL) -> DocumentIndex:
    return DocumentIndex(
        id=_index_id(document),
        model=model,
        status=document.status,
        progress_percentage=_PROGRESS[document.status],
        document_model_index_usage=IndexUsage(used_bytes=document.bytes),
        reason=document.reason,
        message=document.detail,
    )


def _no_index(folder: Folder, model: str) -> DocumentIndex:
    return DocumentIndex(
        id=f"index_{folder.folder_id}",
        model=model,
        status="cannot_index_folder",
        progress_percentage=0.0,
        document_model_index_usage=IndexUsage(used_bytes=0),
        reason="folder",
        message="A folder has no index: ask for each document in it.",
    )


def _index_id(document: KnownDocument) -> str:
    return f"index_{document.document_id}"


def _chunk(document: KnownDocument, chunk_id: str, text: str) -> DocumentChunk:
    return DocumentChunk(id=chunk_id, name=document.name, content=text)
