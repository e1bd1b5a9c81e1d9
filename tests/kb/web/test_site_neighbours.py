"""Sites as they are found: lists of several kinds, and pages that stand for others."""

from collections.abc import Iterator

import pytest

from kb.config import KnowledgeBaseConfig, LinkConfig
from kb.document import LinkSource, SiteSource, SyncReport
from kb.web.site import discover_pages
from kb.web.sitemap import locations
from tests.kb.conftest import OpenKnowledgeBase
from tests.local_server import Answer, Server, page, redirect, serving

LOCAL = LinkConfig(allowed_cidrs=("127.0.0.0/8",), crawl_pause_s=0, max_retries=0)
CONFIG = KnowledgeBaseConfig(links=LOCAL)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/": page(b"<p>Home of the help centre.</p>")}) as served:
        yield served


def article(topic: str, *, head: str = "", body: str = "", **headers: str) -> Answer:
    """A page whose words are of its topic alone."""
    words = " ".join(f"{topic}{number} of {topic}" for number in range(20))
    text = f"<head><title>{topic}</title>{head}</head><body><p>{words}</p>{body}</body>"
    return page(text.encode(), **headers)


def sitemap(server: Server, *paths: str) -> Answer:
    listed = "".join(f"<url><loc>{server.url}{path}</loc></url>" for path in paths)
    return page(f"<urlset>{listed}</urlset>".encode(), "application/xml")


def listed(server: Server, start: str = "/") -> list[str]:
    found = discover_pages(server.url + start, LOCAL, sleep=lambda _: None)
    return [each.removeprefix(server.url) for each in found]


def rows(server: Server, report: SyncReport) -> list[tuple[str, str]]:
    return [(row.source.removeprefix(server.url), row.reason or row.action) for row in report.rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<!-- <url><loc>/old</loc></url> --><urlset><loc>/new</loc></urlset>", ["/new"]),
        ("<urlset><!-- - -- <loc>/a</loc>", []),
        ('<urlset><loc lang="x">/a</loc><image:loc a="b">/p</image:loc></urlset>', ["/a"]),
        ("\ufeff\r\n  /a \r\n\r\n\t/b?x=1&copy=2\n# note\n", ["/a", "/b?x=1&copy=2"]),
        (
            '<rss><channel><link>/</link><atom:link href="/rss" rel="self"/>'
            "<item><link>/a</link><guid>x</guid></item>"
            "<item><link><![CDATA[ /b ]]></link></item></channel></rss>",
            ["/a", "/b"],
        ),
        (
            '<feed><link href="/"/><entry><link href="/a"/><link rel="enclosure" href="/p.mp3"/>'
            "</entry><entry><link rel='alternate' href='/b?x=1&amp;y=2'/></entry></feed>",
            ["/a", "/b?x=1&y=2"],
        ),
        ("<rss><channel><link>/</link></channel></rss>", []),
    ],
)
def test_what_a_list_of_pages_says(text: str, expected: list[str]):
    found = locations(text, url="https://a.example/s", tidied=str)

    assert [each.removeprefix("https://a.example") for each in found] == expected


def test_robots_may_name_a_sitemap_by_its_path_and_in_utf_16(server: Server):
    server.routes |= {
        "/robots.txt": page(b"Sitemap: /maps/s.xml # ours", "text/plain"),
        "/maps/s.xml": page("<urlset><loc>/m</loc></urlset>".encode("utf-16"), "text/xml"),
    }

    assert listed(server) == ["/m"]


@pytest.mark.parametrize("start", ["/maps/s.xml", "/feed"])
def test_a_site_that_begins_at_a_list_has_its_pages_wherever_they_are(server: Server, start: str):
    server.routes[start] = sitemap(server, "/a", "/docs/b")

    assert listed(server, start) == ["/a", "/docs/b"]


def test_an_address_counts_once_however_it_is_escaped(server: Server):
    server.routes["/sitemap.xml"] = sitemap(
        server, "/%C3%BC", "/%c3%bc", "/ü", "/~x", "/%7ex", "/a%2Fb", "/a/b"
    )

    assert listed(server) == ["/%C3%BC", "/~x", "/a%2Fb", "/a/b"]


def test_a_crawl_goes_where_pages_and_frames_lead(server: Server):
    server.routes |= {
        "/": page(b'<meta http-equiv="Refresh" content="0; URL=\'/en/\'">'),
        "/en/": page(b'<frameset><frame src="nav"></frameset><map><area href="/map"></map>'),
        "/en/nav": article("nav"),
        "/map": article("map"),
    }

    assert listed(server) == ["/", "/en/", "/en/nav", "/map"]


def test_pages_that_all_state_the_address_of_the_first_are_pages(
    open_kb: OpenKnowledgeBase, server: Server
):
    head = '<link rel="canonical" href="/">'
    links = '<a href="/b">b</a><a href="/c">c</a><a href="/b?print=1">print</a>'
    server.routes |= {
        "/": article("a", head=head, body=links),
        "/b": article("b", head=head),
        "/b?print=1": article("b", head=head, body="<p>Printed for you on Monday</p>"),
        "/c": article("c", head=head),
    }
    assert listed(server) == ["/", "/b", "/c"]
    server.routes["/sitemap.xml"] = sitemap(server, "/", "/b", "/c", "/b?print=1")

    report = open_kb(CONFIG).sync([SiteSource(server.url + "/")])

    assert rows(server, report) == [
        ("/", "added"),
        ("/b", "added"),
        ("/c", "added"),
        ("/b?print=1", "duplicate"),
    ]


def test_a_page_of_the_same_words_counts_once(open_kb: OpenKnowledgeBase, server: Server):
    server.routes |= {
        "/a": article("fee", ETag='"1"'),
        "/a?sid=7": article("fee", body="<!-- request 7 --><script>var sent = 7</script>"),
        "/A": article("fee", body='<i data-request="8"></i>'),
        "/a?page=2": article("other"),
    }
    kb = open_kb(CONFIG)
    links = [LinkSource(server.url + path) for path in ("/a", "/a?sid=7", "/A", "/a?page=2")]

    for _ in range(2):
        reasons = [row.reason for row in kb.sync(links).rows]
        assert reasons == [None, "duplicate", "duplicate", None]


def test_a_page_of_a_site_that_asks_to_be_left_out_is_a_row(
    open_kb: OpenKnowledgeBase, server: Server
):
    links = '<a href="/meta">m</a><a href="/none">n</a><a href="/header">h</a>'
    server.routes |= {
        "/": article("home", body=links),
        "/meta": article("meta", head='<meta name="robots" content="noindex">'),
        "/none": article("none", head='<meta name="ROBOTS" content="None">'),
        "/header": article("header", X_Robots_Tag="noindex"),
    }
    left_out = [(path, "noindex") for path in ("/meta", "/none", "/header")]

    assert rows(server, open_kb(CONFIG).add_site(server.url + "/")) == [("/", "added"), *left_out]
    server.routes["/sitemap.xml"] = sitemap(server, "/meta", "/none", "/header")
    named = [LinkSource(server.url + "/meta")]
    kb = open_kb(CONFIG)
    assert rows(server, kb.sync([SiteSource(server.url + "/")]))[:3] == left_out
    assert rows(server, kb.sync([SiteSource(server.url + "/"), *named]))[0] == ("/meta", "added")


def test_a_site_of_nothing_to_list_is_rows(open_kb: OpenKnowledgeBase, server: Server):
    server.routes["/"] = article("home", head='<meta name="robots" content="noindex">')

    assert rows(server, open_kb(CONFIG).add_site(server.url + "/")) == [("/", "noindex")]


def test_a_page_of_a_site_that_leads_to_another_server_is_a_row(
    open_kb: OpenKnowledgeBase, server: Server
):
    with serving({"/there": article("there")}) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        server.routes |= {
            "/sitemap.xml": sitemap(server, "/away"),
            "/away": redirect(f"{elsewhere}/there"),
        }
        kb = open_kb(CONFIG)
        of_site = kb.sync([SiteSource(server.url + "/")])
        named = kb.sync([LinkSource(server.url + "/away")])

    assert rows(server, of_site) == [("/away", "elsewhere")]
    assert rows(server, named) == [("/away", "added")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("0; url=/there", "moved"),
        ("5;URL='/there'", "moved"),
        ("60; url=/there", None),
        ("0; url=/page", None),
        ("30", None),
    ],
)
def test_a_short_page_that_stays_is_a_page(
    open_kb: OpenKnowledgeBase, server: Server, content: str, reason: str | None
):
    head = f'<meta http-equiv="refresh" content="{content}">'
    server.routes["/page"] = page(f"{head}<p>Counter four is open until five.</p>".encode())

    row = open_kb(CONFIG).sync([LinkSource(server.url + "/page")]).rows[0]

    assert row.reason == reason
