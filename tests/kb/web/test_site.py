"""The pages of a site, from a sitemap and by following links, on a real local server."""

import gzip
from collections.abc import Iterator

import pytest

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.link_fetcher import FetchedLink
from kb.web.page_links import read_links, tidy_url
from kb.web.site import discover_pages
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


def test_addresses_of_extensions_are_no_pages(server: Server):
    entry = "<url><loc>{0}/{1}</loc><image:image><image:loc>{0}/{1}.png</image:loc></image:image>"
    entry += "<video:video><video:player_loc>{0}/{1}.mp4</video:player_loc></video:video></url>"
    text = "".join(entry.format(server.url, name) for name in "abc")
    server.routes["/sitemap.xml"] = page(f"<urlset>{text}</urlset>".encode(), "application/xml")

    assert paths(server, discover_pages(server.url, LOCAL, max_pages=3)) == ["/a", "/b", "/c"]


def test_a_sitemap_may_use_a_prefix_of_its_own(server: Server):
    text = f"<s:urlset><s:url><s:loc>{server.url}/a</s:loc><image:loc>{server.url}/b</image:loc>"
    server.routes["/sitemap.xml"] = page(f"{text}</s:url></s:urlset>".encode(), "text/xml")

    assert paths(server, discover_pages(server.url, LOCAL)) == ["/a"]


def test_relative_addresses_and_sitemaps_of_plain_text(server: Server):
    text = f"\ufeff{server.url}/help/x\n\nno address\n{server.url}/help/y\n"
    server.routes |= {
        "/robots.txt": page(
            f"Sitemap: {server.url}/help/s.xml\nSitemap: {server.url}/s.txt".encode(), "text/plain"
        ),
        "/help/s.xml": page(sitemap("/help/a", "b"), "text/xml"),
        "/s.txt": page(text.encode(), "text/plain"),
    }

    found = paths(server, discover_pages(server.url + "/help/start", LOCAL))

    assert found == ["/help/a", "/help/b", "/help/x", "/help/y"]


def test_a_folder_without_its_slash_is_a_scope_of_segments(server: Server):
    server.routes |= {
        "/docs": page(linking("/docs/a", "/docs-old/b", "/shop")),
        **{path: page(linking(head=path)) for path in ("/docs/a", "/docs-old/b", "/shop")},
    }

    assert paths(server, discover_pages(server.url + "/docs", LOCAL, sleep=lambda _: None)) == [
        "/docs",
        "/docs/a",
    ]


def test_a_crawl_lists_each_page_once(server: Server):
    canonical = '<link rel="canonical" href="/a">'
    server.routes |= {
        "/": page(linking("/a", "/a?sort=up", "/b", "/b/", "/c", "/d")),
        "/a": page(linking(head=canonical)),
        "/a?sort=up": page(linking("/x", head=canonical)),
        "/b": page(b"<p>The same bytes</p>"),
        "/b/": page(b"<p>The same bytes</p>"),
        "/c": redirect("/d"),
        "/d": page(b"<p>Where c leads</p>"),
    }

    found = discover_pages(server.url, LOCAL, sleep=lambda _: None)

    assert paths(server, found) == ["/", "/a", "/b", "/d"]


def test_a_canonical_address_of_another_server_says_nothing():
    head = '<link rel="canonical" href="https://elsewhere.example/a">'
    fetched = FetchedLink(
        url="https://a.example/x",
        final_url="https://a.example/x",
        status=200,
        body=linking(head=head),
        media_type="text/html",
        charset=None,
        etag=None,
        last_modified=None,
    )

    assert read_links(fetched).canonical is None


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("noindex", False),
        ("nofollow, noindex", False),
        ("none", False),
        ("", True),
        ("unavailable_after: 25 Jun 2010", True),
        ("otherbot: noindex", True),
    ],
)
def test_a_server_may_ask_for_a_page_to_be_left_out(tag: str, kept: bool):
    fetched = FetchedLink("u", "u", 200, b"", None, None, None, None, robots_tag=tag)

    assert fetched.may_be_kept is kept
