"""Knowledge base: documents in, passages out. Knows nothing of agents or LLMs.

    from kb import KnowledgeBase

What stands here by name is what the package offers; it is loaded on first use. Inside are rooms:
`ingest` takes sources in, with `formats` (one parser a format) and `web` (links and sites); `index`
keeps them, on `embedding` and `weights`; `retrieval` finds. `knowledge_base` puts them behind one
object, over the records of `document`, `config` and `errors`.
"""

from typing import TYPE_CHECKING

from kb.public_names import loaded_on_first_use

if TYPE_CHECKING:
    from kb.config import (
        ChunkingConfig,
        EmbeddingConfig,
        IndexConfig,
        KnowledgeBaseConfig,
        Limits,
        LinkConfig,
        ParsingConfig,
        RerankerConfig,
        RetrievalConfig,
        SandboxConfig,
    )
    from kb.document import (
        Chunk,
        Document,
        FileSource,
        LinkSource,
        ParsedDocument,
        RetrievedPassage,
        SiteSource,
        SyncReport,
        TextSource,
    )
    from kb.embedding.embedder import Embedder
    from kb.embedding.open_embedder import open_embedder
    from kb.errors import (
        BusyError,
        CatalogError,
        DocumentError,
        IndexMismatchError,
        KnowledgeBaseError,
        LimitError,
        UnknownDocumentError,
        WeightsError,
    )
    from kb.ingest.load import parse_bytes
    from kb.knowledge_base import KnowledgeBase
    from kb.retrieval.query import SaidTurn
    from kb.retrieval.small_talk import should_search

__all__ = [
    "BusyError",
    "CatalogError",
    "Chunk",
    "ChunkingConfig",
    "Document",
    "DocumentError",
    "Embedder",
    "EmbeddingConfig",
    "FileSource",
    "IndexConfig",
    "IndexMismatchError",
    "KnowledgeBase",
    "KnowledgeBaseConfig",
    "KnowledgeBaseError",
    "LimitError",
    "Limits",
    "LinkConfig",
    "LinkSource",
    "ParsedDocument",
    "ParsingConfig",
    "RerankerConfig",
    "RetrievalConfig",
    "RetrievedPassage",
    "SaidTurn",
    "SandboxConfig",
    "SiteSource",
    "SyncReport",
    "TextSource",
    "UnknownDocumentError",
    "WeightsError",
    "open_embedder",
    "parse_bytes",
    "should_search",
]

_PLACES = {
    "Chunk": "kb.document",
    "FileSource": "kb.document",
    "LinkSource": "kb.document",
    "ParsedDocument": "kb.document",
    "SiteSource": "kb.document",
    "TextSource": "kb.document",
    "parse_bytes": "kb.ingest.load",
    "SaidTurn": "kb.retrieval.query",
    "should_search": "kb.retrieval.small_talk",
    "ChunkingConfig": "kb.config",
    "EmbeddingConfig": "kb.config",
    "IndexConfig": "kb.config",
    "KnowledgeBaseConfig": "kb.config",
    "Limits": "kb.config",
    "LinkConfig": "kb.config",
    "ParsingConfig": "kb.config",
    "RerankerConfig": "kb.config",
    "RetrievalConfig": "kb.config",
    "SandboxConfig": "kb.config",
    "Document": "kb.document",
    "RetrievedPassage": "kb.document",
    "SyncReport": "kb.document",
    "Embedder": "kb.embedding.embedder",
    "open_embedder": "kb.embedding.open_embedder",
    "BusyError": "kb.errors",
    "CatalogError": "kb.errors",
    "DocumentError": "kb.errors",
    "IndexMismatchError": "kb.errors",
    "KnowledgeBaseError": "kb.errors",
    "LimitError": "kb.errors",
    "UnknownDocumentError": "kb.errors",
    "WeightsError": "kb.errors",
    "KnowledgeBase": "kb.knowledge_base",
}

if not TYPE_CHECKING:
    __getattr__ = loaded_on_first_use(__name__, _PLACES)


def __dir__() -> list[str]:
    return __all__
