"""The pages of a site: from its sitemap, or else by following links on the same server.

Every request goes through the fetcher of `kb.web.link_fetcher`, so that robots.txt, private
addresses and sizes are judged for each. What comes back is read with the standard library only,
by functions that an ingest runs in the process of its parsers.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from hashlib import sha256
from itertools import islice
from urllib.parse import urljoin

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.addresses import Target, read_url
from kb.web.content_encoding import decoded, is_gzip
from kb.web.link_fetcher import FetchedLink, LinkFetcher
from kb.web.page_links import (
    Links,
    ShownPages,
    address_key,
    is_page,
    read_links,
    tidy_url,
    without_endless_numbers,
)
from kb.web.sitemap import locations

MAX_SITEMAPS = 50
"""Sitemaps read of one site, those named in sitemap indexes included."""
MAX_LOCATIONS = 100_000
"""Pages looked at of all sitemaps of a site together."""
MAX_CRAWL_DELAY_S = 10.0

_SITEMAP_INDEX = re.compile(r"<(?:\w+:)?sitemapindex\b")
_LISTS = frozenset({"application/rss+xml", "application/atom+xml", "application/xml", "text/xml"})
_DEFAULT_CONFIG = LinkConfig()


def discover_pages(
    url: str,
    config: LinkConfig = _DEFAULT_CONFIG,
    *,
    max_pages: int = 100,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    fetcher: LinkFetcher | None = None,
    sleep: Callable[[float], None] = time.sleep,
    reading: "SiteReading | None" = None,
    unlisted: list[str] | None = None,
) -> list[str]:
    """List the pages of a site, at most `max_pages`.

    Args:
        url: Where to begin. Only pages of the same scheme, host and port are listed, and only
            those under its folder: `https://a.example/help/start` lists `/help/...`, and
            `https://a.example/docs` lists `/docs/...`.
        config: Of the links.
        max_pages: Where to stop.
        include: Patterns such as `/help/*`; a page must match one of them when there are any.
        exclude: Patterns of pages to leave out.
        fetcher: To share what is known of robots.txt with the fetching of the pages.
        sleep: Waits between requests of a crawl.
        reading: Where sitemaps and pages are read; None reads them here.
        unlisted: Told the pages that were met and ask to be left out of indexes.

    Raises:
        DocumentError: The first page cannot be fetched, or (`empty`) no page is in scope.
    """
    fetcher = fetcher or LinkFetcher(config, sleep=sleep)
    reading = reading or SiteReading()
    first = fetcher.fetch(url)
    # Sites move visitors to https or another host name; the pages are where that leads.
    start = read_url(first.final_url)
    is_list = _is_list(start, first)
    scope = _Scope(start, tuple(include), tuple(exclude), is_whole=is_list)
    allowed = _robots_filter(fetcher, start, config)
    sitemaps = [start.url] if is_list else _stated(start, allowed.sitemaps)
    found = islice(_sitemap_pages(fetcher, sitemaps, reading.sitemap), MAX_LOCATIONS)
    inside = (page for page in found if scope.holds(page) and allowed.allows(page))
    holding = _once(inside)
    pages = list(islice(holding, max_pages))
    if not pages:
        pause = max(config.crawl_pause_s, min(allowed.delay_s, MAX_CRAWL_DELAY_S))
        pages = _crawl(
            fetcher,
            first,
            scope,
            max_pages=max_pages,
            wait=lambda: sleep(pause),
            links=reading.links,
            unlisted=[] if unlisted is None else unlisted,
        )
    if not pages and not unlisted:
        raise DocumentError(
            "empty",
            f"No page was found under {start.url!r} that `include` and `exclude` let through. "
            "Check the patterns, or begin at another page.",
        )
    return pages


@dataclass(frozen=True, slots=True)
class _Scope:
    start: Target
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    is_whole: bool = False
    """Whether every folder of the server is meant."""

    def holds(self, url: str) -> bool:
        try:
            target = read_url(url)
        except DocumentError:
            return False
        path = target.path.partition("?")[0]
        begin = self.start.path.partition("?")[0]
        folder = begin.rpartition("/")[0] + "/"
        if folder == "/" and "." not in begin:
            # `/docs` is where `/docs/...` begins, and says nothing of `/shop`.
            folder = f"{begin.rstrip('/')}/"
        return (
            target.origin == self.start.origin
            and (self.is_whole or path.startswith(folder) or path == begin)
            and (not self.include or any(fnmatchcase(path, each) for each in self.include))
            and not any(fnmatchcase(path, each) for each in self.exclude)
        )


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What robots.txt says, or nothing when it is not to be asked."""

    allows: Callable[[str], bool]
    sitemaps: tuple[str, ...]
    delay_s: float


def _robots_filter(fetcher: LinkFetcher, start: Target, config: LinkConfig) -> _Allowed:
    if not config.respect_robots_txt:
        return _Allowed(lambda _: True, (), 0.0)
    rules = fetcher.robots(start)
    return _Allowed(
        lambda url: rules.allows(read_url(url).path), rules.sitemaps, rules.crawl_delay_s
    )


def _is_list(start: Target, first: FetchedLink) -> bool:
    """Whether a site begins at a sitemap or a feed, which lists pages of its whole server."""
    path = start.path.partition("?")[0]
    return path.endswith((".xml", ".xml.gz", ".txt")) or first.media_type in _LISTS


def _stated(start: Target, sitemaps: Sequence[str]) -> list[str]:
    """Where robots.txt says that sitemaps are, or where they are by custom."""
    stated: list[str] = []
    for sitemap in sitemaps or ["/sitemap.xml"]:
        with suppress(ValueError):
            stated.append(urljoin(f"{start.origin}/", sitemap))
    return stated


def _once(pages: Iterable[str]) -> Iterator[str]:
    """Each page once, however its address is escaped."""
    seen: set[str] = set()
    for page in pages:
        key = address_key(read_url(page).url)
        if key not in seen:
            seen.add(key)
            yield page


def _sitemap_pages(
    fetcher: LinkFetcher, sitemaps: Iterable[str], read: "ReadSitemap"
) -> Iterator[str]:
    waiting = deque(sitemaps)
    seen: set[str] = set()
    while waiting and len(seen) < MAX_SITEMAPS:
        sitemap = waiting.popleft()
        if sitemap in seen:
            continue
        seen.add(sitemap)
        # One that cannot be had is no reason to fail: the links remain.
        with suppress(DocumentError):
            body = fetcher.fetch(sitemap).body
            found = read(body, url=sitemap, max_bytes=fetcher.max_bytes)
            if found.is_index:
                waiting.extend(found.locations[:MAX_SITEMAPS])
            else:
                yield from found.locations


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What one sitemap lists."""

    locations: tuple[str, ...] = ()
    """At most `MAX_LOCATIONS`, tidy, in order."""
    is_index: bool = False
    """Whether it lists further sitemaps."""


def read_sitemap(data: bytes, *, url: str, max_bytes: int) -> Sitemap:
    """Read a sitemap, compressed or not, as far as `max_bytes` of it.

    Raises:
        DocumentError: `malformed`: it ends in the middle of its compression.
    """
    body = _unzipped(data, max_bytes, url=url) if is_gzip(data) else data
    is_wide = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = body.decode("utf-16" if is_wide else "utf-8", errors="replace")
    listed = islice(locations(text, url=url, tidied=without_endless_numbers), MAX_LOCATIONS)
    if _SITEMAP_INDEX.search(text):
        return Sitemap(tuple(listed), is_index=True)
    return Sitemap(tuple(map(tidy_url, listed)))


def _unzipped(body: bytes, limit: int, *, url: str) -> bytes:
    """Every member of a gzip file, as far as `limit` bytes."""
    whole = bytearray()
    for piece in decoded((body,), "gzip", url=url):
        whole += piece
        if len(whole) >= limit:
            break
    return bytes(whole[:limit])


def _crawl(
    fetcher: LinkFetcher,
    first: FetchedLink,
    scope: _Scope,
    *,
    max_pages: int,
    wait: Callable[[], None],
    links: "ReadLinks",
    unlisted: list[str],
) -> list[str]:
    """Breadth first, so that what is near the start comes in before what is deep."""
    waiting: deque[str] = deque()
    seen: set[str] = set()
    pages: list[str] = []
    shown = ShownPages()

    def keep(final: str, fetched: FetchedLink, said: Links) -> None:
        if not scope.holds(final) or final in unlisted:
            return
        if not (said.index and fetched.may_be_kept):
            unlisted.append(final)
            return
        # The same page under another address is the same page.
        names = {final, sha256(fetched.body).hexdigest()}
        if not (shown.before(final, names) or shown.claimed_before(final, final, said)):
            pages.append(final)

    def look_at(fetched: FetchedLink) -> None:
        said = links(fetched) if is_page(fetched) else Links()
        final = tidy_url(fetched.final_url)
        was_shown = address_key(final) in seen and final in pages
        seen.add(address_key(final))
        if not was_shown:
            keep(final, fetched, said)
        inside = {address_key(link): link for link in said.urls if _is_inside(link, scope)}
        new = [link for key, link in inside.items() if key not in seen]
        seen.update(map(address_key, new))
        waiting.extend(new)

    look_at(first)
    for _ in range(2 * max_pages + 10):
        if not waiting or len(pages) >= max_pages:
            break
        wait()
        # A dead link of a page is that page's matter.
        with suppress(DocumentError):
            look_at(fetcher.fetch(waiting.popleft()))
    return pages


def _is_inside(url: str, scope: _Scope) -> bool:
    """Whether to look at a page for its links: `include` names what is kept, not the way there."""
    return replace(scope, include=()).holds(url)


ReadLinks = Callable[[FetchedLink], Links]
"""As `read_links`."""
ReadSitemap = Callable[..., Sitemap]
"""As `read_sitemap`."""


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What sitemaps and pages are read with, here or in another process."""

    links: ReadLinks = read_links
    sitemap: ReadSitemap = read_sitemap
