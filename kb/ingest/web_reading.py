"""What a web server sends beside documents, read in the process that parsers are confined to.

robots.txt, sitemaps, the links of a page, and whether a page only stands in for another: both ends
of the pipe are here, so that they cannot come to differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Protocol

from kb.web.link_fetcher import FetchedLink
from kb.web.page_kind import check_page, notice
from kb.web.page_links import Links, read_links
from kb.web.robots import RobotsRules, read_robots_file
from kb.web.site import Sitemap, read_sitemap

Json = dict[str, Any]


class Pool(Protocol):
    """Runs what is in `READERS` in another process."""

    def read(self, kind: str, data: bytes, options: Mapping[str, Any], *, name: str) -> Any:
        """What the reader of this kind makes of `data`; raises `DocumentError`."""
        ...


class SandboxedWeb:
    """Reads with a pool of parser processes. Each method is as the function of its name."""

    def __init__(self, pool: Callable[[], Pool]) -> None:
        """Take what opens the pool, which is asked for when there is something to read."""
        self._pool = pool

    def robots(self, data: bytes, *, product: str, name: str) -> RobotsRules:
        """As `read_robots_file`."""
        found = self._pool().read("robots", data, {"product": product}, name=name)
        return RobotsRules(
            rules=tuple((bool(allowed), str(pattern)) for allowed, pattern in found["rules"]),
            sitemaps=tuple(found["sitemaps"]),
            crawl_delay_s=found["crawl_delay_s"],
        )

    def sitemap(self, data: bytes, *, url: str, max_bytes: int) -> Sitemap:
        """As `read_sitemap`."""
        options = {"url": url, "max_bytes": max_bytes}
        found = self._pool().read("sitemap", data, options, name=url)
        return Sitemap(tuple(found["locations"]), is_index=found["is_index"])

    def links(self, fetched: FetchedLink) -> Links:
        """As `read_links`."""
        found = self._page("links", fetched)
        return Links(
            tuple(found["urls"]), found["index"], found["canonical"], tuple(found["sketch"])
        )

    def check(self, fetched: FetchedLink) -> None:
        """As `check_page`."""
        self._page("check", fetched)

    def notice(self, fetched: FetchedLink) -> str | None:
        """As `kb.web.page_kind.notice`."""
        return self._page("notice", fetched)

    def _page(self, kind: str, fetched: FetchedLink) -> Any:
        told = asdict(replace(fetched, body=b""))
        del told["body"]
        return self._pool().read(kind, fetched.body, told, name=fetched.final_url)


def _robots(data: bytes, **options: Any) -> Json:
    return asdict(read_robots_file(data, **options))


def _sitemap(data: bytes, **options: Any) -> Json:
    return asdict(read_sitemap(data, **options))


def _links(data: bytes, **told: Any) -> Json:
    return asdict(read_links(FetchedLink(body=data, **told)))


def _check(data: bytes, **told: Any) -> None:
    check_page(FetchedLink(body=data, **told))


def _notice(data: bytes, **told: Any) -> str | None:
    return notice(FetchedLink(body=data, **told))


READERS: Mapping[str, Callable[..., Any]] = {
    "robots": _robots,
    "sitemap": _sitemap,
    "links": _links,
    "check": _check,
    "notice": _notice,
}
"""What the child process does for each kind; each answer is plain JSON."""
