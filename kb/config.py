"""Configuration of a knowledge base. Frozen; unknown keys are refused."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

MEBIBYTE = 2**20


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Section):
    """How much one knowledge base may hold. None lifts a limit."""

    max_documents: PositiveInt | None = 5
    """Files, links and texts together."""
    max_total_bytes: PositiveInt | None = 20 * MEBIBYTE
    """Sum of the sources' sizes as received."""
    max_document_chars: PositiveInt | None = 10_000_000
    """Of one document's stored text."""
    max_document_pages: PositiveInt | None = 5_000
    """Of one paged document."""


class ChunkingConfig(_Section):
    """How documents are cut."""

    max_tokens: PositiveInt = 200
    """Upper bound of a chunk with its heading path, in the embedder's own tokens.

    all-MiniLM-L6-v2 reads 256 and silently drops the rest.
    """
    target_chars: PositiveInt = 400
    """Where a chunk is closed at the next block or sentence border."""


class EmbeddingConfig(_Section):
    """Which model turns text into vectors."""

    model: str = "all-MiniLM-L6-v2"
    """A name in the weights catalog, a sentence-transformers name or path, or
    `litellm/PROVIDER/MODEL`."""
    runtime: Literal["onnx_int8", "onnx_fp32", "torch"] = "onnx_int8"
    """How a local model runs; ignored for `litellm/...`."""
    threads: PositiveInt | None = None
    """Of the runtime; None lets it take every core."""


class LinkConfig(_Section):
    """How links are fetched."""

    allowed_cidrs: tuple[str, ...] = ()
    """Private address ranges that links may point to, e.g. `10.1.0.0/16`."""
    connect_timeout_s: PositiveFloat = 10.0
    total_timeout_s: PositiveFloat = 60.0
    max_bytes: PositiveInt = 20 * MEBIBYTE
    """Of one response, after decompression."""
    max_redirects: int = 5
    respect_robots_txt: bool = True


class RetrievalConfig(_Section):
    """How passages are found. Constants were chosen on the dev halves of the bench's data."""

    fusion_k: PositiveInt = 10
    """Damping of reciprocal rank fusion."""
    candidates: PositiveInt = 50
    """Depth of each ranking before fusion."""
    ef_search: PositiveInt = 400
    """Breadth of the approximate search: recall at 10 is .998 with 400, .935 by default."""


class KnowledgeBaseConfig(_Section):
    """Everything a knowledge base can be told."""

    limits: Limits = Limits()
    chunking: ChunkingConfig = ChunkingConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    links: LinkConfig = LinkConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
