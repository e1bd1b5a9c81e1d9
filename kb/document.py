"""Records of the knowledge base: what a document is, how it was parsed, how it is cut."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DocumentKind = Literal["file", "link", "text"]
DocumentStatus = Literal["ready", "failed"]
BlockKind = Literal["heading", "paragraph", "list", "table", "code"]
SyncAction = Literal["added", "unchanged", "replaced", "removed", "failed"]


class Document(BaseModel):
    """One source of a knowledge base, as its catalog knows it."""

    model_config = ConfigDict(frozen=True)

    document_id: str
    """Stable through versions of the same source."""
    name: str
    """What a person calls it: the file name, the link's title, or the given name."""
    kind: DocumentKind
    source: str
    """Where it came from: a path, a URL, or the given name of a text."""
    media_type: str = "text/plain"
    """As recognised from the content, e.g. `application/pdf`."""
    bytes: int
    """Size of the source as received. Counts against `Limits.max_total_bytes`."""
    chars: int
    """Length of the stored text, which offsets of chunks and passages point into."""
    status: DocumentStatus
    reason: str | None = None
    """Machine-readable code when failed, e.g. `empty`, `unsupported`, `http_404`."""
    detail: str | None = None
    """One sentence for a person when failed: what was wrong and what to do."""
    version: int = 1
    """Counts up each time the content of this source changed."""
    chunk_count: int = 0
    content_sha256: str | None = None
    """Of the bytes received."""
    title: str | None = None
    hidden_chars_dropped: int = 0
    """Characters of text that a reader of the page would not have seen."""
    left_out: dict[str, int] = Field(default_factory=dict)
    """What is in the source and not in the text, on purpose: pieces by kind, such as
    `comment` or `hidden row`."""
    updated_at: datetime | None = None
    """UTC."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text that belongs together: characters [start_char, end_char) of the text."""

    kind: BlockKind
    start_char: int
    end_char: int
    level: int = 0
    """Of a heading: 1 for the outermost. 0 for every other kind."""
    columns: str = ""
    """Of a table whose rows do not name their columns: the line that does, as it is indexed."""


@dataclass(frozen=True, slots=True)
class PageStart:
    """From `start_char` on, the text is on page `label`."""

    start_char: int
    label: str
    """As printed on the page when the file says so, else the number counted from 1."""


@dataclass(frozen=True, slots=True)
class Place:
    """From `start_char` of a document's text on: the page, and the headings it stands under."""

    start_char: int
    page: str | None
    heading_path: tuple[str, ...]
    """Outermost first; a heading stands under itself."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A source turned to plain text, with the structure that chunking needs.

    `blocks` are ordered and do not overlap; text outside of them is white space.
    """

    text: str
    title: str | None
    media_type: str
    blocks: tuple[Block, ...] = ()
    pages: tuple[PageStart, ...] = ()
    """Ordered by start_char; empty for media without pages."""
    hidden_chars_dropped: int = 0
    language: str | None = None
    """BCP 47 code when the source states it or it was recognised."""
    metadata: dict[str, str] = field(default_factory=dict[str, str])
    """What the source says of itself: author, created, ..."""
    left_out: dict[str, int] = field(default_factory=dict[str, int])
    """Pieces by kind that were left out on purpose."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """An indexed span: characters [start_char, end_char) of its document's stored text.

    As it is cut and written to the catalog; `kb.index.catalog.ChunkRow` is what is read from there.
    """

    chunk_id: str
    """Hash of document id, offsets and indexed text: the same content gives the same id."""
    document_id: str
    ordinal: int
    """Position among the document's chunks, from 0."""
    start_char: int
    end_char: int
    text: str
    """Exactly `document_text[start_char:end_char]`."""
    heading_path: tuple[str, ...] = ()
    """Headings above the chunk, outermost first. Embedded and indexed with it.

    For a chunk that begins inside of a table, the names of its columns are the last one.
    """
    page: str | None = None
    """Of its first character."""
    places: tuple[Place, ...] = ()
    """Where each part of it stands, in order; empty when page and headings hold for all of it."""
    headings: str = ""
    """Title and heading path in one line, as embedded before the text."""

    @property
    def indexed_text(self) -> str:
        """What is embedded: the text under its headings."""
        return f"{self.headings}\n{self.text}" if self.headings else self.text


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """A chunk returned for a query, with neighbours that were joined to it.

    What leaves the package: sessions, tools and commands read it, and nothing of the index.
    """

    document_id: str
    document_name: str
    chunk_id: str
    text: str
    start_char: int
    end_char: int
    heading_path: tuple[str, ...]
    """Headings above the chunk that it was found by; see `section`."""
    page: str | None
    """Of the sentence that says most of the turn; see `place_at` for that of any other."""
    score: float
    """Estimated probability that the passage answers the turn, 0 to 1."""
    rank: int
    """From 1, best first."""
    ranks: dict[str, int] = field(default_factory=dict[str, int])
    """Rank in each ranking that found it, e.g. {"dense_last": 1, "lexical_context": 4}."""
    scores: dict[str, float] = field(default_factory=dict[str, float])
    """Score in each of these rankings, in its own unit: cosines for `dense_...`, BM25 for
    `lexical_...`, how much of the name was said for `names`, 0 to 1 for `reranker`."""
    parts: dict[str, float] = field(default_factory=dict[str, float])
    """What its place comes from: meaning, words, names, and its document's other chunks. The more
    they are together, the higher it stands, unless a reranker decided."""
    document_version: int | None = None
    """Of the document that the offsets point into."""
    matched_terms: tuple[str, ...] = ()
    """Word stems of the conversation that the passage holds, most telling first."""
    places: tuple[Place, ...] = ()
    """Where each part of it stands, in order; empty when page and headings hold for all of it."""
    section: tuple[str, ...] = ()
    """Headings of the sentence that says most of the turn, outermost first: what to call it."""
    searched_for: str | None = None
    """What was searched for where a rewriter made it of the turn; None for the turn as said."""

    def place_at(self, offset: int) -> Place:
        """Page and headings of the character at `offset` of `text`."""
        at = self.start_char + offset
        here = Place(self.start_char, self.page, self.heading_path)
        return next((place for place in reversed(self.places) if place.start_char <= at), here)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file to take in."""

    path: Path
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LinkSource:
    """A page to take in."""

    url: str
    name: str | None = None
    of_site: bool = False
    """Whether it was found on a site: then the page may ask to be left out, and is one of that
    server. A page that was named is meant."""


@dataclass(frozen=True, slots=True)
class TextSource:
    """A text given in place. Its name identifies it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class SiteSource:
    """The pages of a site to take in, each a document of its own."""

    url: str
    """Where to begin: only pages under its folder count."""
    max_pages: int = 100
    include: tuple[str, ...] = ()
    """Patterns such as `/help/*`; a page must match one of them when there are any."""
    exclude: tuple[str, ...] = ()
    """Patterns of pages to leave out."""


Source = FileSource | LinkSource | TextSource
"""What becomes one document."""
AnySource = Source | SiteSource


class SyncRow(BaseModel):
    """What happened, or would happen, to one source."""

    model_config = ConfigDict(frozen=True)

    action: SyncAction
    kind: DocumentKind
    source: str
    name: str
    document_id: str
    reason: str | None = None
    """Machine-readable code when failed."""
    detail: str | None = None
    """One sentence for a person when failed."""
    bytes: int = 0
    chunks: int = 0
    """Chunks that the source has in the index afterwards."""


class SyncReport(BaseModel):
    """What a sync did, one row a source, in the order given; removed ones come last."""

    model_config = ConfigDict(frozen=True)

    rows: tuple[SyncRow, ...]
    chunks_embedded: int = 0
    """Chunks whose vectors had to be computed; the others came from the cache."""
    seconds: float = 0.0
    index_version: int = 0

    def count(self, action: SyncAction) -> int:
        """Number of sources with this outcome."""
        return sum(row.action == action for row in self.rows)
