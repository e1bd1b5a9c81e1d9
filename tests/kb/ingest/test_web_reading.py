"""What a web server sends beside documents is read in the process of the parsers, as it is here."""

import gzip
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kb.config import MEBIBYTE, KnowledgeBaseConfig, LinkConfig, SandboxConfig
from kb.errors import DocumentError
from kb.ingest.sandbox import ParserPool
from kb.ingest.web_reading import SandboxedWeb
from kb.web import robots, sitemap
from kb.web.link_fetcher import FetchedLink
from kb.web.page_kind import check_page, notice
from kb.web.page_links import read_links
from kb.web.robots import read_robots_file
from kb.web.site import read_sitemap
from tests.kb.conftest import OpenKnowledgeBase
from tests.local_server import PAGE, page, serving

pytestmark = pytest.mark.hostile
BODIES = st.one_of(
    st.binary(max_size=120),
    st.sampled_from(
        [
            b"User-agent: *\nDisallow: /a\nCrawl-delay: 99\nSitemap: http://a/s.xml",
            b"<urlset><url><loc>http://a/b</loc></url></urlset>",
            b"<sitemapindex><sitemap><loc>/c</loc></sitemap></sitemapindex>",
            gzip.compress(b"http://a/b\nhttp://a/c", mtime=0),
            gzip.compress(b"http://a/b", mtime=0)[:-4],
            b"<title>404</title><base href='http://[::1'><a href='\xff'>x</a><link rel=canonical>",
            b"<meta http-equiv=refresh content='0; url=/there'>",
            b"<form><input type=password></form>",
        ]
    ),
)


@pytest.fixture(scope="module")
def web() -> Iterator[SandboxedWeb]:
    pool = ParserPool(SandboxConfig(idle_workers=1))
    yield SandboxedWeb(lambda: pool)
    pool.close()


def outcome(work: object, *given: object, **named: object) -> object:
    try:
        return work(*given, **named)  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
    except DocumentError as error:
        return error.reason, str(error)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=BODIES, charset=st.sampled_from([None, "utf-8", "latin-1", "idna", "\udc80", "a\0b"]))
@example(b"\xed\xa0\x80<a href='/\xed\xa0\x80'>", "utf-8")
def test_it_says_what_reading_here_says(web: SandboxedWeb, body: bytes, charset: str | None):
    said = {"product": "vivavoce", "name": "r"}
    assert web.robots(body, **said) == read_robots_file(body, **said)
    of_map = {"url": "http://a/s.xml", "max_bytes": 1_000}
    assert outcome(web.sitemap, body, **of_map) == outcome(read_sitemap, body, **of_map)
    fetched = FetchedLink("http://a/x", "http://a/y", 200, body, "text/html", charset, None, None)
    assert web.links(fetched) == read_links(fetched)
    assert outcome(web.check, fetched) == outcome(check_page, fetched)
    assert web.notice(fetched) == notice(fetched)


def test_an_ingest_of_a_site_reads_nothing_of_it_in_its_own_process(
    open_kb: OpenKnowledgeBase, monkeypatch: pytest.MonkeyPatch
):
    def refused(*_given: object, **_named: object) -> object:
        raise AssertionError("this was read outside of the sandbox")

    monkeypatch.setattr(HTMLParser, "feed", refused)
    monkeypatch.setattr(robots, "_fields", refused)
    monkeypatch.setattr(sitemap, "locations", refused)
    monkeypatch.setattr("kb.web.site.locations", refused)
    links = LinkConfig(allowed_cidrs=("127.0.0.0/8",), max_retries=0, crawl_pause_s=0)
    told = page(b"<html><body><p>Parcels to Norway take nine days.</p></body></html>", "text/html")
    with serving({"/": page(PAGE + b"<a href=/b>more</a>"), "/b": told}) as server:
        server.routes["/robots.txt"] = page(b"User-agent: *\nDisallow: /c", "text/plain")
        report = open_kb(KnowledgeBaseConfig(links=links)).add_site(f"{server.url}/")

    assert [row.action for row in report.rows] == ["added", "added"]


@pytest.mark.slow
def test_what_exhausts_its_reader_costs_one_answer_and_no_memory_here():
    pool = ParserPool(SandboxConfig(idle_workers=1, memory_bytes=160 * MEBIBYTE, base_s=20))
    web = SandboxedWeb(lambda: pool)
    many = b"".join(b"<loc>http://a/%d/%s</loc>" % (n, b"x" * 700) for n in range(90_000))
    bomb = gzip.compress(b"<urlset>" + many)
    del many
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError) as caught:
            web.sitemap(bomb, url="http://a/s.xml", max_bytes=200 * MEBIBYTE)
        most_bytes = tracemalloc.get_traced_memory()[1]
        after = web.robots(b"User-agent: *\nDisallow: /a", product="vivavoce", name="r")
    finally:
        tracemalloc.stop()
        pool.close()

    assert caught.value.reason in ("out_of_memory", "too_large")
    assert "http://a/s.xml" in str(caught.value)
    assert most_bytes < 20_000_000
    assert not after.allows("/a")
