"""The pages of a site, from a sitemap and by following links, on a real local server."""

import gzip
from collections.abc import Iterator

import pytest

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.link_fetcher import FetchedLink
from kb.web.site import discover_pages, read_links, tidy_url
from tests.local_server import Server, page, redirect, serving, status

LOCAL = LinkConfig(allowed_cidrs=("127.0.0.0/8",))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/": page(), "/help/start": page()}) as served:
        yield served


def linking(*targets: str, head: str = "") -> bytes:
    links = "".join(f'<a href="{target}">there</a>' for target in targets)
    return f"<html><head>{head}</head><body>{links}</body></html>".encode()


def sitemap(*urls: str, kind: str = "urlset") -> bytes:
    entries = "".join(f"<url><loc> {url} </loc></url>" for url in urls)
    return f'<?xml version="1.0"?><{kind}>{entries}</{kind}>'.encode()


def paths(server: Server, pages: list[str]) -> list[str]:
    return [each.removeprefix(server.url) for each in pages]


def test_a_sitemap_lists_the_pages(server: Server):
    listed = [f"{server.url}/help/{name}" for name in ("a", "b", "a", "c?x=1&amp;utm_source=mail")]
    other = ["https://elsewhere.example/help/d", f"{server.url}/blog/e"]
    server.routes["/sitemap.xml"] = page(sitemap(*listed, *other), "application/xml")

    found = discover_pages(server.url + "/help/start", LOCAL)

    assert paths(server, found) == ["/help/a", "/help/b", "/help/c?x=1"]


def test_robots_txt_names_sitemaps_and_an_index_leads_to_more(server: Server):
    robots = f"Sitemap: {server.url}/index.xml\nUser-agent: *\nDisallow: /private".encode()
    parts = [f"{server.url}/one.xml", f"{server.url}/two.xml.gz", f"{server.url}/gone.xml"]
    server.routes |= {
        "/robots.txt": page(robots, "text/plain"),
        "/index.xml": page(sitemap(*parts, parts[0], kind="sitemapindex"), "text/xml"),
        "/one.xml": page(sitemap(f"{server.url}/a", f"{server.url}/private/b"), "text/xml"),
        "/two.xml.gz": page(gzip.compress(sitemap(f"{server.url}/c")), "application/gzip"),
    }

    assert paths(server, discover_pages(server.url, LOCAL)) == ["/a", "/c"]


def test_patterns_choose_and_a_number_ends(server: Server):
    listed = [f"{server.url}/{name}" for name in ("en/a", "de/a", "en/old/b", "en/c", "en/d")]
    server.routes["/sitemap.xml"] = page(sitemap(*listed), "application/xml")

    found = discover_pages(server.url, LOCAL, include=["/en/*"], exclude=["*/old/*"], max_pages=2)

    assert paths(server, found) == ["/en/a", "/en/c"]


def test_without_a_sitemap_links_are_followed_near_before_far(server: Server):
    server.routes |= {
        "/": page(linking("/b", "a#part", "mailto:x@y.z", "javascript:void(0)", "/missing")),
        "/a": page(linking("/deep", "/", "https://elsewhere.example/")),
        "/b": page(linking("/a?utm_source=x", "/manual.pdf", "/moved")),
        "/deep": page(linking()),
        "/manual.pdf": page(b"%PDF-1.7", "application/pdf"),
        "/moved": redirect("/deep"),
    }
    waits: list[float] = []

    found = discover_pages(server.url + "/", LOCAL, sleep=waits.append)

    assert paths(server, found) == ["/", "/b", "/a", "/manual.pdf", "/deep"]
    assert set(waits) == {0.2}


def test_a_crawl_keeps_to_what_a_page_and_robots_ask(server: Server):
    robots = b"User-agent: *\nDisallow: /private\nCrawl-delay: 3"
    server.routes |= {
        "/robots.txt": page(robots, "text/plain"),
        "/": page(linking("/private/x", "/no-index", "/no-follow")),
        "/private/x": page(linking()),
        "/no-index": page(linking("/a", head='<meta name="robots" content="noindex">')),
        "/no-follow": page(linking("/b", head='<meta name="robots" content="NOFOLLOW">')),
        "/a": page(linking()),
        "/b": page(linking()),
    }
    waits: list[float] = []

    found = discover_pages(server.url + "/", LOCAL, sleep=waits.append)

    assert paths(server, found) == ["/", "/no-follow", "/a"]
    assert set(waits) == {3.0}
    assert "/private/x" not in server.paths()


def test_a_trap_of_ever_new_links_ends(server: Server):
    class Endless(dict[str, object]):
        def get(self, path: str, default: object = None) -> object:  # pyright: ignore[reportIncompatibleMethodOverride]
            return page(linking(f"{path}/x")) if "robots" not in path else status(404)

    server.routes = Endless()  # pyright: ignore[reportAttributeAccessIssue]

    found = discover_pages(
        server.url + "/", LOCAL, max_pages=4, include=["/nothing/*", "/"], sleep=lambda _: None
    )

    assert paths(server, found) == ["/"]
    assert len(server.seen) < 30


def test_a_start_that_moved_is_followed(server: Server):
    server.routes |= {
        "/": redirect("/help/"),
        "/help/": page(linking("/help/a", "/blog")),
        "/help/a": page(linking()),
        "/blog": page(linking()),
    }

    found = discover_pages(server.url, LOCAL, sleep=lambda _: None)

    assert paths(server, found) == ["/help/", "/help/a"]


def test_a_first_page_that_fails_is_said(server: Server):
    with pytest.raises(DocumentError) as caught:
        discover_pages(server.url + "/nothing", LOCAL)

    assert caught.value.reason == "http_404"


def test_no_page_in_scope_is_said(server: Server):
    server.routes["/"] = page(linking())

    with pytest.raises(DocumentError, match="include") as caught:
        discover_pages(server.url + "/", LOCAL, include=["/help/*"])

    assert caught.value.reason == "empty"


def test_a_base_and_a_strange_charset_are_understood():
    body = linking("b", "//[bad", head='<base href="/docs/">')
    fetched = FetchedLink("", "http://a.example/x/y", 200, body, "text/html", "klingon", None, None)

    assert read_links(fetched).urls == ("http://a.example/docs/b",)


@pytest.mark.parametrize(
    ("url", "tidy"),
    [
        ("http://a/b#c", "http://a/b"),
        ("http://a/b?utm_source=x&id=1", "http://a/b?id=1"),
        ("http://a/b?gclid=1", "http://a/b"),
        ("http://a/b?id=a%20b", "http://a/b?id=a%20b"),
    ],
)
def test_tracking_and_fragments_go(url: str, tidy: str):
    assert tidy_url(url) == tidy
