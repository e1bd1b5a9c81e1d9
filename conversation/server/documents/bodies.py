"""Bodies of requests and answers about documents."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conversation.server.agents.bodies import MAX_NAME_CHARS, AccessInfo
from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName
from conversation.server.library.library import HandedInAs
from kb.errors import DocumentError
from kb.web.addresses import read_url

IndexStatus = Literal["new", "created", "processing", "succeeded", "failed", "cannot_index_folder"]
Name = Field(default=None, min_length=1, max_length=MAX_NAME_CHARS)


def _is_address(url: str) -> str:
    """Refuse what no page can be at. It is kept and shown, so a password must not be in it."""
    try:
        read_url(url)
    except DocumentError as error:
        raise ValueError(
            "write the address of a page, which begins with https:// or http://, with no password"
        ) from error
    return url


PageUrl = Annotated[
    str, Field(max_length=2_000, pattern=r"^https?://[^\s]+$"), AfterValidator(_is_address)
]
"""Where a page is."""


class NewPage(Body):
    """A page to read."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"url": "https://example.com/help", "name": "Help"}]}
    )

    url: PageUrl
    name: ReadableName | None = Name
    parent_folder_id: str | None = None
    enable_auto_sync: bool | None = None


class NewText(Body):
    """A text to answer from."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "Refunds take five days.", "name": "Refund policy"}]
        }
    )

    text: str = Field(min_length=1)
    name: ReadableName | None = Name
    parent_folder_id: str | None = None


class DocumentChanges(Body):
    """Another name or, for a text or a file, another content."""

    name: ReadableName | None = Name
    content: str | None = Field(default=None, min_length=1)
    enable_auto_sync: bool | None = None


class DocumentIds(Body):
    """Several documents."""

    document_ids: list[str] = Field(min_length=1, max_length=100)


class ToDelete(DocumentIds):
    """Several documents to delete."""

    force: bool = False


class AddedDocument(BaseModel):
    """The document that was handed in; it is read in the background."""

    id: str = Field(examples=["doc_6b1f0c8a92d47e35b0aa"])
    name: str
    folder_path: list[Any] = []


class DocumentTimes(BaseModel):
    """When it was handed in and changed, and its size as received."""

    created_at_unix_secs: int
    last_updated_at_unix_secs: int
    size_bytes: int


class DependentAgent(BaseModel):
    """An agent that answers from a document."""

    type: Literal["available"] = "available"
    referenced_resource_ids: list[str]
    id: str
    name: str
    created_at_unix_secs: int
    access_level: str = "admin"


class DocumentSummary(BaseModel):
    """A document in a list."""

    type: HandedInAs
    id: str
    name: str
    metadata: DocumentTimes
    supported_usages: list[str] = ["auto", "prompt"]
    access_info: AccessInfo = AccessInfo()
    folder_parent_id: str | None = None
    folder_path: list[Any] = []
    dependent_agents: list[DependentAgent]
    url: str | None = None
    """Of a page."""
    status: IndexStatus
    """Whether it was read, and every agent that names it can answer from it.

    `new`: an agent file names it, and nobody asked yet that it is read.
    """
    reason: str | None = None
    """Machine-readable code when failed or new, e.g. `encrypted`, `http_404`, `not_ingested`."""
    message: str | None = None
    """For a person when failed or new: what was wrong and what to do."""


class FolderSummary(BaseModel):
    """A folder, with what is in it."""

    type: Literal["folder"] = "folder"
    id: str
    name: str
    metadata: DocumentTimes
    """`size_bytes`: of all documents in it."""
    supported_usages: list[str] = []
    access_info: AccessInfo = AccessInfo()
    folder_parent_id: str | None = None
    folder_path: list[dict[str, Any]] = []
    dependent_agents: list[Any] = []
    children_count: int
    """Documents and folders in it."""
    document_count: int
    """Documents in it and in the folders below."""


class DocumentAnswer(DocumentSummary):
    """A document with its text."""

    extracted_inner_html: str
    content_format: Literal["html"] = "html"
    filename: str | None = None
    """Of a file."""


class DocumentPage(BaseModel):
    """One page of documents."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "documents": [
                        {
                            "type": "text",
                            "id": "doc_6b1f0c8a92d47e35b0aa",
                            "name": "Refund policy",
                            "metadata": {
                                "created_at_unix_secs": 1795417868,
                                "last_updated_at_unix_secs": 1795417868,
                                "size_bytes": 23,
                            },
                            "supported_usages": ["auto", "prompt"],
                            "access_info": {"is_creator": True, "role": "admin"},
                            "dependent_agents": [],
                            "status": "succeeded",
                        }
                    ],
                    "next_cursor": None,
                    "has_more": False,
                }
            ]
        }
    )

    documents: list[DocumentSummary | FolderSummary]
    next_cursor: str | None = None
    has_more: bool


class DependentAgents(BaseModel):
    """One page of agents."""

    agents: list[DependentAgent]
    branches: list[Any] = []
    next_cursor: str | None = None
    has_more: bool


class WantedIndex(Body):
    """Which index; there is one, whatever model is named."""

    model_config = ConfigDict(protected_namespaces=())

    model: str = Field(max_length=100, examples=["multilingual_e5_large_instruct"])


class WantedIndexItem(WantedIndex):
    """An index of one document among several."""

    document_id: str
    create_if_missing: bool = True


class WantedIndexes(Body):
    """Indexes of several documents."""

    items: list[WantedIndexItem] = Field(min_length=1, max_length=100)


class IndexUsage(BaseModel):
    """What the index takes."""

    used_bytes: int


class DocumentIndex(BaseModel):
    """How far a document is on its way into the index."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "index_doc_6b1f0c8a92d47e35b0aa",
                    "model": "multilingual_e5_large_instruct",
                    "status": "succeeded",
                    "progress_percentage": 100.0,
                    "document_model_index_usage": {"used_bytes": 66},
                    "reason": None,
                    "message": None,
                }
            ]
        }
    )

    id: str
    model: str
    status: IndexStatus
    progress_percentage: float
    document_model_index_usage: IndexUsage
    reason: str | None = None
    message: str | None = None


class DocumentIndexes(BaseModel):
    """The one index of a document."""

    indexes: list[DocumentIndex]


class ModelUsage(BaseModel):
    """What indexes of one model take."""

    model: str
    used_bytes: int


class IndexOverview(BaseModel):
    """What all indexes take, of what they may."""

    total_used_bytes: int
    total_max_bytes: int
    models: list[ModelUsage]


class DocumentChunk(BaseModel):
    """A part of a document, on the wire."""

    id: str
    name: str
    content: str


class DocumentChunks(BaseModel):
    """One page of parts, in reading order."""

    chunks: list[DocumentChunk]
    next_cursor: str | None = None


class TextSegment(BaseModel):
    """A part of a passage that was found."""

    value: str
    is_hit: bool = True


class FoundDocument(BaseModel):
    """A document with its best passage."""

    document: DocumentSummary
    search_snippet: list[TextSegment]
    score: float


class FoundDocuments(BaseModel):
    """Documents that say something about what was asked, best first."""

    results: list[FoundDocument]
    next_cursor: str | None = None
