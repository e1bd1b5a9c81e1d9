"""Source -> prepared document, or the finding that nothing changed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kb.config import KnowledgeBaseConfig
from kb.document import (
    Document,
    DocumentKind,
    FileSource,
    LinkSource,
    ParsedDocument,
    Source,
    TextSource,
)
from kb.embedding.embedder import Embedder
from kb.errors import DocumentError
from kb.formats.data.plain_structure import parse_text
from kb.index.catalog import Fingerprint
from kb.index.catalog_changes import PreparedDocument
from kb.ingest.chunking import CHUNKER_VERSION, split_document, subject_name
from kb.ingest.names import storable

if TYPE_CHECKING:
    from kb.ingest.web_reading import SandboxedWeb
    from kb.web.link_fetcher import FetchedLink, LinkFetcher
    from kb.web.page_kind import UnknownPages
    from kb.web.page_links import ShownPages

PARSER_VERSION = 6
"""Counts up when the same bytes give another text or structure, so that all are parsed again."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The source still is what was taken in."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one source from another, before it is read."""

    document_id: str
    kind: DocumentKind
    source: str
    name: str


def identify(source: Source) -> Identity:
    """Name a source; the id stays the same as long as path, URL or name do."""
    match source:
        case FileSource(path=path, name=name):
            kind, origin, given = "file", path.resolve().as_posix(), name or path.name
        case LinkSource(url=url, name=name):
            kind, origin, given = "link", url, name or url
        case TextSource(name=name):
            kind, origin, given = "text", name, name
    digest = hashlib.sha256(f"{kind}\x1f{origin}".encode("utf-8", "surrogatepass")).hexdigest()
    return Identity(f"doc_{digest[:20]}", kind, storable(origin), storable(given))


class Intake:
    """Reads, parses and cuts sources, unless they are what they were."""

    def __init__(
        self,
        config: KnowledgeBaseConfig,
        embedder: Embedder,
        *,
        text_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Remember how to read.

        Args:
            config: Of the knowledge base.
            embedder: Whose tokens chunks are measured in.
            text_of: Stored text of the document of an id, to tell an unchanged page from others.
        """
        self._config = config
        self._embedder = embedder
        self._text_of = text_of

    @cached_property
    def _fetcher(self) -> "LinkFetcher":
        """One for all links, so that the robots.txt of a server is read once."""
        from kb.web.link_fetcher import LinkFetcher

        return LinkFetcher(self._config.links, read_robots=self._web.robots)

    @cached_property
    def _web(self) -> "SandboxedWeb":
        from kb.ingest.load import sandboxed_web

        return sandboxed_web(self._config.parsing)

    @cached_property
    def _unknown_pages(self) -> "UnknownPages":
        from kb.web.page_kind import UnknownPages

        return UnknownPages(self._fetcher, self._web.notice)

    @property
    def signature(self) -> str:
        """Changes when the same source would give other chunks or vectors."""
        chunking, parsing = self._config.chunking, self._config.parsing
        return (
            f"parser {PARSER_VERSION} {parsing.html_focus} {parsing.html_keep_hidden:d} "
            f"{parsing.html_link_targets:d}{' ocr' if parsing.ocr else ''}"
            f"{' render' if parsing.render else ''}, "
            f"chunker {CHUNKER_VERSION} {chunking.max_tokens} {chunking.target_chars}, "
            f"{self._embedder.model_id}"
        )

    def take_in(self, source: Source, known: Fingerprint | None) -> PreparedDocument | Unchanged:
        """Read a source.

        Args:
            source: Where to read.
            known: What the catalog holds of it, if anything.

        Raises:
            DocumentError: It cannot be taken in; carries a reason code and a sentence.
        """
        usable = known if known is not None and known.signature == self.signature else None
        if usable is not None and usable.document.status != "ready":
            usable = None
        match source:
            case FileSource(path=path):
                return self._file(source, path, usable)
            case LinkSource(url=url):
                return self._link(source, url, usable)
            case TextSource(text=text):
                return self._text(source, text, usable)

    def _file(
        self, source: Source, path: Path, known: Fingerprint | None
    ) -> PreparedDocument | Unchanged:
        from kb.ingest.load import load_file

        if known is not None and file_sha256(path) == known.document.content_sha256:
            return Unchanged()
        loaded = load_file(path, limits=self._config.limits, config=self._config.parsing)
        return self._prepared(
            identify(source), loaded.parsed, sha256=loaded.data_sha256, size=loaded.bytes
        )

    def _link(
        self, source: LinkSource, url: str, known: Fingerprint | None
    ) -> PreparedDocument | Unchanged:
        fetched = self._fetcher.fetch(
            url,
            etag=known.etag if known else None,
            last_modified=known.last_modified if known else None,
        )
        self._check_place(source, fetched)
        digest = known.document.content_sha256 if known and fetched.not_modified else None
        digest = digest or _sha256(fetched.body)
        if not self._config.parsing.render:
            # The pages of a site that scripts build are one and the same before these ran.
            self._once(url, {digest})
        if known is not None and digest == known.document.content_sha256:
            self._once_said(url, self._text_of(known.document.document_id))
            return Unchanged(fetched.etag, fetched.last_modified)
        self._web.check(fetched)
        body, parsed = self._read_page(fetched)
        if body is not fetched.body:
            digest = _sha256(body)
            if known is not None and digest == known.document.content_sha256:
                return Unchanged()
        else:
            self._unknown_pages.check(fetched)
        self._once_said(url, parsed.text)
        if self._config.parsing.render:
            self._once(url, {digest})
        is_rendered = body is not fetched.body
        return self._prepared(
            identify(source),
            parsed,
            sha256=digest,
            size=len(body),
            # What a script builds may change while the page that it builds it in does not.
            validators=(None, None) if is_rendered else (fetched.etag, fetched.last_modified),
        )

    def _read_page(self, fetched: "FetchedLink") -> tuple[bytes, ParsedDocument]:
        """A page with what it says, after its scripts ran where it needs that and may."""
        from kb.ingest.load import parse_bytes

        def parsed(body: bytes, content_type: str | None) -> ParsedDocument:
            return parse_bytes(
                body,
                name=fetched.final_url,
                media_type=content_type,
                limits=self._config.limits,
                config=self._config.parsing,
            )

        try:
            return fetched.body, parsed(fetched.body, fetched.content_type)
        except DocumentError as error:
            if error.reason != "needs_browser" or not self._config.parsing.render:
                raise
        from kb.web.rendering import render_page

        body = render_page(fetched, self._config.links, self._config.parsing.sandbox)
        return body, parsed(body, "text/html; charset=utf-8")

    @cached_property
    def _shown(self) -> "ShownPages":
        from kb.web.page_links import ShownPages

        return ShownPages()

    def _check_place(self, source: LinkSource, fetched: "FetchedLink") -> None:
        """Refuse a page that is not of its site, or that another link has shown already.

        Raises:
            DocumentError: `elsewhere`, `noindex` or `duplicate`.
        """
        from kb.web.page_links import Links, is_elsewhere, is_page, tidy_url, unlisted_error

        said = self._web.links(fetched) if is_page(fetched) else Links()
        if source.of_site and is_elsewhere(fetched):
            raise DocumentError(
                "elsewhere",
                f"{source.url!r} leads to {fetched.final_url!r}, which is not of the site. If that "
                "page is meant, name it as a link.",
            )
        if source.of_site and not (said.index and fetched.may_be_kept):
            raise unlisted_error(source.url)
        final = tidy_url(fetched.final_url)
        self._once(source.url, {final})
        self._refuse_again(source.url, self._shown.claimed_before(source.url, final, said))

    def _once_said(self, url: str, text: str | None) -> None:
        """Refuse a page of the words of another: only what no reader sees tells them apart."""
        if text is not None:
            self._once(url, {f"text {text_sha256(text)}"})

    def _once(self, url: str, names: set[str]) -> None:
        """Refuse a page that another link of this ingest has shown already.

        Raises:
            DocumentError: `duplicate`.
        """
        self._refuse_again(url, self._shown.before(url, names))

    def _refuse_again(self, url: str, shown: str | None) -> None:
        if shown is not None:
            raise DocumentError(
                "duplicate",
                f"{url!r} shows the same page as {shown!r}, which is taken in once. Leave one out.",
            )

    def begin(self) -> None:
        """Begin an ingest, in which each page of the web counts once."""
        self.__dict__.pop("_shown", None)
        self._unknown_pages.forget()

    def _text(
        self, source: Source, text: str, known: Fingerprint | None
    ) -> PreparedDocument | Unchanged:
        # Half of a character pair cannot be stored; the replacement keeps every offset.
        text = text.encode("utf-8", "replace").decode("utf-8")
        sha256 = text_sha256(text)
        if known is not None and sha256 == known.document.content_sha256:
            return Unchanged()
        identity = identify(source)
        if not text.strip():
            raise DocumentError(
                "empty", f"The text {identity.name!r} is empty. Fill it, or leave it out."
            )
        return self._prepared(identity, parse_text(text), sha256=sha256, size=text_bytes(text))

    def _prepared(
        self,
        identity: Identity,
        parsed: ParsedDocument,
        *,
        sha256: str,
        size: int,
        validators: tuple[str | None, str | None] = (None, None),
    ) -> PreparedDocument:
        name = identity.name
        if identity.kind == "link" and name == identity.source and parsed.title:
            name = parsed.title
        chunks = split_document(
            parsed,
            document_id=identity.document_id,
            tokenizer=self._embedder.tokenizer,
            config=self._config.chunking,
        )
        document = Document(
            document_id=identity.document_id,
            name=name,
            kind=identity.kind,
            source=identity.source,
            media_type=parsed.media_type,
            bytes=size,
            chars=len(parsed.text),
            status="ready",
            chunk_count=len(chunks),
            content_sha256=sha256,
            title=parsed.title,
            hidden_chars_dropped=parsed.hidden_chars_dropped,
            left_out=parsed.left_out,
        )
        return PreparedDocument(
            document=document,
            text=parsed.text,
            chunks=tuple(chunks),
            signature=self.signature,
            names=tuple(subject_name(parsed, chunk, document_name=name) for chunk in chunks),
            language=parsed.language,
            etag=validators[0],
            last_modified=validators[1],
        )


def failed_document(source: Source, error: DocumentError) -> Document:
    """The record of a source that could not be taken in."""
    identity = identify(source)
    return Document(
        document_id=identity.document_id,
        name=identity.name,
        kind=identity.kind,
        source=identity.source,
        bytes=0,
        chars=0,
        status="failed",
        reason=error.reason,
        detail=str(error),
        version=0,
    )


def may_pass(reason: str) -> bool:
    """Whether a failure says nothing about the source itself, so that its old content is kept."""
    return reason in _PASSING or reason.startswith("http_5")


_PASSING = frozenset(
    {"timeout", "unreachable", "dns", "tls", "http_408", "http_429"}
    # A file that is being copied, or was damaged: what it said last is better than nothing.
    | {"malformed", "empty", "encrypted", "unreadable", "out_of_memory"}
)


def file_sha256(path: Path) -> str | None:
    """Digest of a file's bytes; None when it cannot be read, which `load_file` reports better."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def text_sha256(text: str) -> str:
    """Digest of a text given in place."""
    return _sha256(text.encode("utf-8", "replace"))


def text_bytes(text: str) -> int:
    """Size of a text given in place, as it counts against the limits."""
    return len(text.encode("utf-8", "replace"))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
