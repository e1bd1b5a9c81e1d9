"""The pages of a site: from its sitemap, or else by following links on the same server.

Every request goes through the fetcher of `kb.web.link_fetcher`, so that robots.txt, private
addresses and sizes are judged for each. What comes back is read with the standard library only,
by functions that an ingest runs in the process of its parsers.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import parse_qsl, urlencode, urljoin

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.media_types import text_encoding
from kb.web.addresses import Target, read_url
from kb.web.content_encoding import decoded, is_gzip
from kb.web.link_fetcher import FetchedLink, LinkFetcher
from kb.web.sitemap import locations

MAX_SITEMAPS = 50
"""Sitemaps read of one site, those named in sitemap indexes included."""
MAX_LOCATIONS = 100_000
"""Pages looked at of all sitemaps of a site together."""
MAX_CRAWL_DELAY_S = 10.0
MAX_LINKS = 10_000
"""Different links followed of one page."""
MAX_LINKS_BYTES = 2_000_000
"""Of a page, links are looked for in its first two megabytes."""

_SITEMAP_INDEX = re.compile(r"<(?:\w+:)?sitemapindex\b")
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{1000,};?")
_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|mc_[ce]id")
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", None})
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

    Raises:
        DocumentError: The first page cannot be fetched, or (`empty`) no page is in scope.
    """
    fetcher = fetcher or LinkFetcher(config, sleep=sleep)
    reading = reading or SiteReading()
    first = fetcher.fetch(url)
    # Sites move visitors to https or another host name; the pages are where that leads.
    start = read_url(first.final_url)
    scope = _Scope(start, tuple(include), tuple(exclude))
    allowed = _robots_filter(fetcher, start, config)
    listed = dict.fromkeys(
        islice(_sitemap_pages(fetcher, start, allowed.sitemaps, reading.sitemap), MAX_LOCATIONS)
    )
    holding = (page for page in listed if scope.holds(page) and allowed.allows(page))
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
        )
    if not pages:
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
            and (path.startswith(folder) or path == begin)
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


def _sitemap_pages(
    fetcher: LinkFetcher, start: Target, stated: Sequence[str], read: "ReadSitemap"
) -> Iterator[str]:
    waiting = deque(stated or [start.origin + "/sitemap.xml"])
    if start.path.partition("?")[0].endswith((".xml", ".xml.gz", ".txt")):
        waiting = deque([start.url])
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
    text = body.decode("utf-8", errors="replace")
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
) -> list[str]:
    """Breadth first, so that what is near the start comes in before what is deep."""
    waiting: deque[str] = deque()
    seen: set[str] = set()
    pages: list[str] = []
    shown: set[str] = set()

    def look_at(fetched: FetchedLink) -> None:
        said = links(fetched) if fetched.media_type in _PAGE_TYPES else Links()
        final = tidy_url(fetched.final_url)
        seen.add(final)
        # The same page under another address is the same page.
        names = {final, said.canonical or final, sha256(fetched.body).hexdigest()}
        if scope.holds(final) and said.index and fetched.may_be_kept and not names & shown:
            pages.append(final)
            shown.update(names)
        new = [link for link in said.urls if link not in seen and _is_inside(link, scope)]
        seen.update(new)
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
    return _Scope(scope.start, (), scope.exclude).holds(url)


@dataclass(frozen=True, slots=True)
class Links:
    """What a page says of where to go on."""

    urls: tuple[str, ...] = ()
    index: bool = True
    """False when the page asks to be left out of indexes."""
    canonical: str | None = None
    """Where the page says it really is, on the same server."""


def read_links(fetched: FetchedLink) -> Links:
    """The links of a page, absolute and tidy, in order; none of a `nofollow` page."""
    reader = _LinkReader()
    body = fetched.body[:MAX_LINKS_BYTES]
    text = body.decode(text_encoding(fetched.charset) or "utf-8", errors="replace")
    reader.feed(without_endless_numbers(text))
    base = _base_of(fetched.final_url, reader.base)
    stated = () if "nofollow" in reader.robots else dict.fromkeys(reader.links)
    urls = (_absolute(base, each) for each in islice(stated, MAX_LINKS))
    canonical = _absolute(base, reader.canonical) if reader.canonical else None
    if canonical is not None and not _same_server(canonical, fetched.final_url):
        canonical = None
    index = "noindex" not in reader.robots
    return Links(tuple(_unique(url for url in urls if url)), index, canonical)


def _same_server(url: str, other: str) -> bool:
    return read_url(url).origin == read_url(other).origin


ReadLinks = Callable[[FetchedLink], Links]
"""As `read_links`."""
ReadSitemap = Callable[..., Sitemap]
"""As `read_sitemap`."""


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What sitemaps and pages are read with, here or in another process."""

    links: ReadLinks = read_links
    sitemap: ReadSitemap = read_sitemap


def page_names(fetched: FetchedLink, read: ReadLinks = read_links) -> set[str]:
    """The addresses that a page goes by: where it was found, and where it says it is."""
    final = tidy_url(fetched.final_url)
    is_page = fetched.media_type in _PAGE_TYPES and not fetched.not_modified
    return {final, (read(fetched).canonical if is_page else None) or final}


def without_endless_numbers(text: str) -> str:
    """`text` in which no character reference has more digits than Python makes a number of."""
    return _ENDLESS_NUMBER.sub("\ufffd", text)


def _base_of(url: str, stated: str | None) -> str:
    """What links are relative to: a `<base>` that is no address says nothing."""
    try:
        return urljoin(url, stated or "")
    except ValueError:
        return url


def tidy_url(url: str) -> str:
    """Drop the fragment and what only tracks where a reader came from."""
    url = url.partition("#")[0].strip()
    path, question_mark, query = url.partition("?")
    if not question_mark:
        return url
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [pair for pair in pairs if not _TRACKING.fullmatch(pair[0])]
    if len(kept) == len(pairs):
        return url
    return f"{path}?{urlencode(kept)}" if kept else path


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.base: str | None = None
        self.canonical: str | None = None
        self.robots = ""

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """Read `<![...` as browsers do, a comment: the library raises what no caller expects."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href") and "nofollow" not in (values.get("rel") or ""):
            self.links.append(values["href"] or "")
        elif tag == "link" and "canonical" in (values.get("rel") or "").lower().split():
            self.canonical = self.canonical or values.get("href")
        elif tag == "base" and self.base is None:
            self.base = values.get("href")
        elif tag == "meta" and (values.get("name") or "").lower() == "robots":
            self.robots += (values.get("content") or "").lower()


def _absolute(base: str, link: str) -> str | None:
    try:
        joined = urljoin(base, link.strip())
        return tidy_url(read_url(tidy_url(joined)).url)
    except (DocumentError, ValueError):
        return None


def _unique(urls: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(urls))
