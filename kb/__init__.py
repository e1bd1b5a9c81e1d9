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
    from kb.document import Document, RetrievedPassage, SyncReport
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
    from kb.knowledge_base import KnowledgeBase

__all__ = [
    "BusyError",
    "CatalogError",
    "ChunkingConfig",
    "Document",
    "DocumentError",
    "Embedder",
    "EmbeddingConfig",
    "IndexConfig",
    "IndexMismatchError",
    "KnowledgeBase",
    "KnowledgeBaseConfig",
    "KnowledgeBaseError",
    "LimitError",
    "Limits",
    "LinkConfig",
    "ParsingConfig",
    "RerankerConfig",
    "RetrievalConfig",
    "RetrievedPassage",
    "SandboxConfig",
    "SyncReport",
    "UnknownDocumentError",
    "WeightsError",
    "open_embedder",
]

_PLACES = {
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
