"""Servers that mean harm: whatever they send costs one link, in bounded time and memory."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.formats.decoding import decode
from kb.media_types import text_encoding
from kb.web.addresses import MAX_URL_CHARS, is_allowed, read_url
from kb.web.content_encoding import decoded
from kb.web.link_fetcher import FetchedLink, LinkFetcher, retry_after
from kb.web.page_links import MAX_LINKS, read_links
from kb.web.robots import MAX_SITEMAPS, read_robots
from kb.web.site import discover_pages
from tests.growth import growth
from tests.local_server import PAGE, Answer, Server, page, serving

pytestmark = pytest.mark.hostile

LOCAL = LinkConfig(
    allowed_cidrs=("127.0.0.0/8",),
    max_bytes=200_000,
    total_timeout_s=5,
    connect_timeout_s=2,
    max_retries=1,
)
SOME = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ODD_VALUES = st.one_of(
    st.sampled_from(
        [
            "http://[::1",
            "http://[",
            "//[::1",
            "http://a:99999/",
            "http://a:0/",
            "http://a:x/",
            "http://.a/",
            "http://a..b/",
            "http://" + "a" * 70 + ".b/",
            "http://\u00df.a/",
            "http://xn--/",
            "http:///",
            "ftp://a/",
            "/" + "a" * 9_000,
            "\u00b2",
            "\u0663",
            "9" * 5_000,
            "1e9",
            "Mon, 01 Jan 0001 00:00:00 GMT",
            "Mon, 99 Foo 2020 00:00:00 GMT",
            "-1",
            '"\xe4\xf6\xfc"',
            'W/"\xff"',
            "gzip, gzip",
            "text/html; charset=idna",
            "text/html; charset=undefined",
            "text/html; charset=a\tb",
            "text/html; charset=punycode",
            "text/html; charset=hex",
            ";;;=",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
)
NAMES = ("location", "retry-after", "etag", "last-modified", "content-type", "content-encoding")
HEADERS = st.dictionaries(st.sampled_from(NAMES), ODD_VALUES, max_size=4)
STATUS = st.sampled_from([200, 203, 204, 301, 302, 304, 307, 404, 429, 503, 999])
BODIES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"<![<",
            b"<![CDATA[",
            b"<base href='http://[::1'>" + PAGE,
            b"<base href='//[x'><a href=a>b</a>",
            b"&#" + b"1" * 5_000 + b";",
            b"<a href='&#" + b"9" * 5_000 + b";'>x</a>",
            b"<!" * 50,
            b"<a href='http://[::1'>x</a>",
            b"<a href='http://a:99999/'>x</a>",
            b"\xff\xfe<",
            b"\x1f\x8b",
            gzip.compress(PAGE, mtime=0)[:-9],
            zlib.compress(PAGE)[:-5],
            gzip.compress(PAGE, mtime=0) * 2,
            b"<urlset><url><loc>http://[::1</loc><loc>&#"
            + b"1" * 5_000
            + b";</loc></url></urlset>",
        ]
    ),
)


def raw(code: int, headers: dict[str, str], body: bytes) -> Answer:
    """An answer that is sent as it stands, whatever HTTP says of it."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    return answer


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


def fetcher() -> LinkFetcher:
    return LinkFetcher(LOCAL, sleep=lambda _s: None)


@SOME
@given(code=STATUS, headers=HEADERS, body=BODIES)
@example(302, {"location": "http://[::1"}, b"")
@example(302, {"location": "http://a:99999/"}, b"")
@example(503, {"retry-after": "\u00b2"}, b"")
@example(200, {"etag": '"\xe4"'}, PAGE)
@example(200, {"content-type": "text/html; charset=idna"}, PAGE)
def test_a_fetch_raises_nothing_but_a_document_error(
    server: Server, code: int, headers: dict[str, str], body: bytes
):
    server.routes = {"/x": raw(code, headers, body)}
    with suppress(DocumentError):
        fetched = fetcher().fetch(f"{server.url}/x")
        read_links(fetched)
        # What the server said is said to it the next time.
        fetcher().fetch(f"{server.url}/x", etag=fetched.etag, last_modified=fetched.last_modified)


@SOME
@given(headers=HEADERS, body=BODIES, sitemap=BODIES, robots=BODIES)
@example({}, b"<base href='http://[::1'><a href=b>x</a>", b"", b"")
@example({}, b"<![<", b"", b"")
@example({}, PAGE, b"", b"Sitemap: http://[::1\nSitemap: http://a:99999/s.xml")
def test_a_crawl_raises_nothing_but_a_document_error(
    server: Server, headers: dict[str, str], body: bytes, sitemap: bytes, robots: bytes
):
    server.routes = {
        "/": raw(200, {"content-type": "text/html"} | headers, body),
        "/robots.txt": raw(200, headers, robots),
        "/sitemap.xml": raw(200, {}, sitemap),
        "/a": raw(200, headers, body),
        "/b": raw(200, {}, PAGE),
    }
    with suppress(DocumentError):
        discover_pages(
            f"{server.url}/", LOCAL, max_pages=3, fetcher=fetcher(), sleep=lambda _s: None
        )


@given(st.text(max_size=60))
@example("http://" + "1" * 60 + "z/")
@example("http://" + "9" * 5_000 + "/")
@example("http://1.fa/")
def test_a_url_is_read_or_refused(url: str):
    for each in (url, f"http://{url}", f"http://a.example/{url}", f"http://a.example:{url}/"):
        with suppress(DocumentError):
            target = read_url(each)
            assert 0 < target.port < 65_536
            assert target.host


@pytest.mark.parametrize(
    "url",
    [
        "http://a:99999/",
        "http://a:65536/",
        "http://a:0/",
        "http://.a/",
        "http://a..b/",
        "http://./",
        "http://[::1",
        "http://a/" + "b" * MAX_URL_CHARS,
    ],
)
def test_an_address_that_nobody_can_ask_is_refused(url: str):
    with pytest.raises(DocumentError) as caught:
        read_url(url)
    assert caught.value.reason == "bad_url"


def test_a_validator_beyond_ascii_is_sent_back_as_it_came(server: Server):
    server.seen.clear()
    server.routes = {"/x": raw(200, {"etag": '"\xe4\xf6"', "content-type": "text/html"}, PAGE)}
    first = fetcher().fetch(f"{server.url}/x")
    fetcher().fetch(f"{server.url}/x", etag=first.etag)

    assert server.seen[-1][1]["If-None-Match"] == '"\xe4\xf6"'


@pytest.mark.parametrize("etag", ["\u2019", "a\r\nX: y", "a" * 2_000, ""])
def test_a_validator_that_no_header_can_hold_is_left_out(server: Server, etag: str):
    server.seen.clear()
    server.routes = {"/x": page()}

    assert fetcher().fetch(f"{server.url}/x", etag=etag).body == PAGE
    assert "If-None-Match" not in server.seen[-1][1]


@pytest.mark.parametrize(
    "header", ["\u00b2", "\u0663", "9" * 400, "Mon, 01 Jan 0001 00:00:00 +2359"]
)
def test_an_odd_wait_is_none_or_finite(header: str):
    wait = retry_after(header, now=0.0)
    assert wait is None or 0 <= wait < float("inf")


# Compression


@pytest.mark.parametrize("cut", [1, 4, 8, 12, 20])
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE, mtime=0)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", zlib.compress(PAGE, wbits=-15)),
        ("gzip", gzip.compress(PAGE, mtime=0) + gzip.compress(PAGE, mtime=0)),
    ],
)
def test_a_body_that_ends_in_the_middle_is_an_error(
    server: Server, encoding: str, body: bytes, cut: int
):
    server.routes = {"/x": page(body[:-cut], Content_Encoding=encoding)}
    with pytest.raises(DocumentError) as caught:
        fetcher().fetch(f"{server.url}/x")
    assert caught.value.reason == "malformed"


@given(st.lists(st.binary(max_size=300_000), min_size=1, max_size=4), st.integers(1, 70_000))
@settings(deadline=None, max_examples=30)
@example([b"", b"a" * 65_536, b"b" * 131_072], 65_536)
def test_every_member_is_read(members: list[bytes], step: int):
    data = b"".join(gzip.compress(each) for each in members) + b"\0" * 7
    pieces = (data[start : start + step] for start in range(0, len(data), step))

    assert b"".join(decoded(pieces, "gzip", url="u")) == b"".join(members)


def test_every_member_of_a_sitemap_is_read(server: Server):
    parts = [f"<urlset><url><loc>{server.url}/{each}</loc></url></urlset>" for each in "ab"]
    body = b"".join(gzip.compress(each.encode()) for each in parts)
    server.routes = {
        "/": page(),
        "/robots.txt": page(f"Sitemap: {server.url}/s.gz".encode(), "text/plain"),
        "/s.gz": page(body, "application/gzip"),
    }
    found = discover_pages(f"{server.url}/", LOCAL)
    assert found == [f"{server.url}/a", f"{server.url}/b"]


# Charsets


@given(st.text(max_size=30), st.binary(max_size=100))
@example("idna", b"\xff" + b"a" * 100)
@example("undefined", b"\xff")
@example("unicode_escape", b"\xff\\q")
@example("a\0b", b"\xff")
def test_whatever_charset_is_stated_text_comes_out(charset: str, body: bytes):
    fetched = FetchedLink("", "http://a/", 200, body, "text/html", charset, None, None)
    read_links(fetched)
    assert isinstance(decode(body, stated=charset), str)


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("UTF-8", "utf-8"),
        ("latin1", "iso8859-1"),
        ("Shift_JIS", "shift_jis"),
        ("GB2312", "gb2312"),
        ("windows-1252", "cp1252"),
        ("koi8-r", "koi8-r"),
        ("klingon", None),
        ("idna", None),
        ("punycode", None),
        ("unicode_escape", None),
        ("raw-unicode-escape", None),
        ("hex", None),
        ("zip", None),
        ("rot13", None),
        ("undefined", None),
        ("a\0b", None),
        ("", None),
        (None, None),
    ],
)
def test_charsets_of_texts_are_known(charset: str | None, encoding: str | None):
    assert text_encoding(charset) == encoding


# Time and memory


def linked(body: bytes) -> object:
    return read_links(FetchedLink("", "http://a/", 200, body, "text/html", None, None, None))


@pytest.mark.parametrize(
    ("work", "piece"),
    [
        (lambda text: read_robots(text, product="vivavoce"), "User-agent: a\nAllow: /a\n"),
        (
            lambda text: read_robots(
                "User-agent: b\n" * (len(text) // 14) + text, product="vivavoce"
            ),
            "User-agent: vivavoce\nAllow: /a\n",
        ),
        (lambda text: read_robots("User-agent: *\n" + text, product="x"), "Sitemap: http://a/\n"),
        *(
            (lambda text: linked(text.encode()), piece)
            for piece in (
                "<",
                "<!",
                "<a ",
                "<a href=x>",
                "<![",
                "<!--",
                "</",
                "<a x='",
                "&#",
                "<script>",
                "<?",
                "a=b ",
            )
        ),
        (lambda text: read_url(f"http://{text[:60]}z/"), "1"),
        (lambda text: list(decoded((gzip.compress(b"") * len(text),), "gzip", url="u")), "x"),
    ],
)
def test_time_grows_with_the_size(work: Callable[[str], object], piece: str):
    assert growth(work, piece, chars=20_000) < 6


def test_a_robots_txt_of_many_crawlers_and_rules_takes_little_memory():
    text = "User-agent: bot\n" * 4_000 + "Disallow: /a\n" * 4_000
    many = "User-agent: *\n" + "".join(f"Sitemap: http://a/{number}\n" for number in range(20_000))
    tracemalloc.start()
    try:
        began_s = time.perf_counter()
        rules = read_robots(text, product="vivavoce")
        listed = read_robots(many, product="vivavoce").sitemaps
        took_s, (_, most_bytes) = time.perf_counter() - began_s, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert rules.allows("/a")
    assert len(listed) == MAX_SITEMAPS
    assert most_bytes < 20_000_000
    assert took_s < 2


def test_a_page_of_endless_links_is_followed_so_far():
    body = "".join(f"<a href=/{number}>x</a>" for number in range(MAX_LINKS + 5_000))
    fetched = FetchedLink("", "http://a/", 200, body.encode(), "text/html", None, None, None)
    assert len(read_links(fetched).urls) == MAX_LINKS


# Addresses


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3",
        "10.9.8.7",
        "100.100.100.200",
        "127.0.0.2",
        "169.254.169.254",
        "172.31.0.1",
        "192.0.0.1",
        "192.0.0.9",
        "192.0.0.170",
        "192.0.0.192",
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "::ffff:192.0.0.192",
        "64:ff9b::a00:1",
        "64:ff9b::a83f:8110",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:808:808::1",
        "2620:4f:8000::1",
        "3ffe::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "fee0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_no_special_address_is_public(address: str):
    assert not is_allowed(ip_address(address), allowed_cidrs=())
    assert is_allowed(ip_address("10.0.0.1"), allowed_cidrs=("10.0.0.0/8",))


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.215.14",
        "168.63.129.17",
        "192.0.1.1",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "2001:4860:4860::8888",
        "2400::1",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
    ],
)
def test_public_addresses_stay_public(address: str):
    assert is_allowed(ip_address(address), allowed_cidrs=())
