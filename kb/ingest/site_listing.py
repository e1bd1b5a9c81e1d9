"""Sites among the sources -> their pages as links, before anything is written."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb.config import KnowledgeBaseConfig
from kb.document import AnySource, LinkSource, SiteSource, Source
from kb.errors import DocumentError
from kb.ingest.intake import identify


@dataclass(frozen=True, slots=True)
class ListedSources:
    """Sources without sites, and what became of each site."""

    sources: tuple[Source, ...]
    """Each once; the first of two that stand for the same document counts."""
    pages: Mapping[str, Sequence[str]]
    """Pages of each site that could be listed, by where it begins."""
    failures: tuple[tuple[LinkSource, DocumentError], ...] = ()
    """Where a site begins that could not be listed, and pages that ask to be left out; and why."""


def list_sites(
    wanted: Iterable[AnySource],
    config: KnowledgeBaseConfig,
    *,
    known_pages: Callable[[str], Sequence[str]],
) -> ListedSources:
    """Put the pages of each site in its place.

    A site that cannot be listed keeps the pages it had: each is then looked at by itself, so that
    a server that is down for a while empties no knowledge base.

    Args:
        wanted: Sources, sites among them.
        config: How links are fetched and read.
        known_pages: The pages that a site had when it was listed last, by where it begins.
    """
    found: dict[str, Source] = {}
    pages: dict[str, Sequence[str]] = {}
    failures: list[tuple[LinkSource, DocumentError]] = []
    for source in wanted:
        if not isinstance(source, SiteSource):
            document_id = identify(source).document_id
            if _is_of_site(found.setdefault(document_id, source)):
                found[document_id] = source
            continue
        unlisted: list[str] = []
        try:
            listed = pages[source.url] = list_pages(source, config, unlisted=unlisted)
        except DocumentError as error:
            listed = known_pages(source.url)
            failures.append((LinkSource(source.url), error))
        for page in _links(listed):
            found.setdefault(identify(page).document_id, page)
        failures += _left_out(unlisted)
    return ListedSources(
        tuple(found.values()),
        pages,
        # Where a site begins can be a page of its own, which then says itself what is wrong.
        tuple(failed for failed in failures if identify(failed[0]).document_id not in found),
    )


def _is_of_site(source: Source) -> bool:
    return isinstance(source, LinkSource) and source.of_site


def _links(pages: Iterable[str]) -> tuple[LinkSource, ...]:
    return tuple(LinkSource(page, of_site=True) for page in pages)


def _left_out(pages: Iterable[str]) -> tuple[tuple[LinkSource, DocumentError], ...]:
    """Rows of pages that ask to be left out of indexes."""
    from kb.web.page_links import unlisted_error

    return tuple((link, unlisted_error(link.url)) for link in _links(pages))


def list_site(site: SiteSource, config: KnowledgeBaseConfig) -> ListedSources:
    """The pages of one site as sources.

    Raises:
        DocumentError: As `list_pages`.
    """
    unlisted: list[str] = []
    pages = list_pages(site, config, unlisted=unlisted)
    return ListedSources(_links(pages), {site.url: pages}, _left_out(unlisted))


def list_pages(
    site: SiteSource, config: KnowledgeBaseConfig, *, unlisted: list[str] | None = None
) -> list[str]:
    """The pages of one site.

    Args:
        site: Where to begin, and what is meant of it.
        config: How links are fetched and read.
        unlisted: Told the pages that were met and ask to be left out of indexes.

    Raises:
        DocumentError: The first page cannot be fetched, or no page is in scope.
    """
    from kb.ingest.load import sandboxed_web
    from kb.web.link_fetcher import LinkFetcher
    from kb.web.site import SiteReading, discover_pages

    web = sandboxed_web(config.parsing)
    return discover_pages(
        site.url,
        config.links,
        max_pages=site.max_pages,
        include=site.include,
        exclude=site.exclude,
        fetcher=LinkFetcher(config.links, read_robots=web.robots),
        reading=SiteReading(web.links, web.sitemap),
        unlisted=unlisted,
    )


def site_key(url: str) -> str:
    """Key of the catalog under which the pages of a site are kept."""
    return f"site {url}"


def read_pages(stored: str | None) -> tuple[str, ...]:
    """Pages as the catalog keeps them."""
    return tuple(json.loads(stored)) if stored else ()


def stored_pages(pages: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Pages of sites as the catalog keeps them."""
    return {site_key(url): json.dumps(list(listed)) for url, listed in pages.items()}
