"""What can be wrong with a knowledge base, as sentences: an empty list is a pass."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from kb.config import MEBIBYTE, Limits
from kb.document import Document
from kb.knowledge_base import KnowledgeBase
from orchestration.terminal.rows import document_state

LINKS_FRESH_FOR = timedelta(days=2)
"""The schedule `daily_links` looks at them every day; one missed night is no alarm."""
SAMPLED_CHUNKS = 20
RECALL_DEPTH = 5


def limit_problems(documents: Sequence[Document], limits: Limits) -> list[str]:
    """Limits that the documents pass together."""
    problems: list[str] = []
    count = sum(document.status == "ready" for document in documents)
    size = sum(document.bytes for document in documents)
    if limits.max_documents is not None and count > limits.max_documents:
        problems.append(f"{count} documents, and {limits.max_documents} are allowed")
    if limits.max_total_bytes is not None and size > limits.max_total_bytes:
        problems.append(
            f"{size / MEBIBYTE:.2f} MB, and {limits.max_total_bytes / MEBIBYTE:.2f} MB are allowed"
        )
    return problems


def empty_documents(documents: Sequence[Document]) -> list[str]:
    """Documents that count as ready and hold no text, so that nothing can be found in them."""
    return [
        f"{document.name!r} holds no text"
        for document in documents
        if document.status == "ready" and not (document.chars and document.chunk_count)
    ]


def unrenewed_documents(documents: Sequence[Document]) -> list[str]:
    """Documents that could not be read, or of which an old version is served, each with why."""
    return [
        f"{document.name!r}: {document_state(document)}. {document.detail or ''}".strip()
        for document in documents
        if document.reason is not None
    ]


def stale_links(
    documents: Sequence[Document], synced_at: datetime | None, *, now: datetime
) -> list[str]:
    """Links of which nobody knows whether the page still says what the agent does."""
    links = [document for document in documents if document.kind == "link"]
    if links and (synced_at is None or now - synced_at > LINKS_FRESH_FOR):
        seen = "never" if synced_at is None else f"on {synced_at:%Y-%m-%d at %H:%M} UTC"
        return [f"its {len(links)} links were looked at {seen}"]
    return unrenewed_documents(links)


def documents_version(documents: Sequence[Document]) -> str:
    """Twelve hexadecimal digits that move when the content of some document did."""
    held = sorted((each.document_id, each.content_sha256 or each.status) for each in documents)
    return hashlib.sha256(repr(held).encode()).hexdigest()[:12]


def chunk_count_problems(knowledge_base: KnowledgeBase) -> list[str]:
    """Documents of which the index holds another number of chunks than were made."""
    problems: list[str] = []
    for document in knowledge_base.documents():
        held = len(knowledge_base.chunks_of(document.document_id))
        made = document.chunk_count if document.status == "ready" else 0
        if held != made:
            problems.append(f"{document.name!r}: {made} chunks were made, {held} are indexed")
    return problems


def self_recall(knowledge_base: KnowledgeBase) -> tuple[int, int]:
    """How many sampled chunks are found by their own words, and how many were sampled."""
    chunks = [
        row
        for document in knowledge_base.documents()
        for row in knowledge_base.chunks_of(document.document_id)
    ]
    # Evenly spread, so that a repeated check asks the same.
    sampled = chunks[:: max(1, len(chunks) // SAMPLED_CHUNKS)][:SAMPLED_CHUNKS]
    found = sum(
        any(
            passage.chunk_id == row.chunk_id
            for passage in knowledge_base.retrieve(row.text, limit=RECALL_DEPTH)
        )
        for row in sampled
    )
    return found, len(sampled)
