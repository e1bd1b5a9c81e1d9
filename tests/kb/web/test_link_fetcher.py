"""The link fetcher against real servers on 127.0.0.1 that misbehave on purpose."""

import gzip
import itertools
import shutil
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from kb.config import LinkConfig
from kb.errors import DocumentError
from kb.web.link_fetcher import FetchedLink, LinkFetcher, retry_after
from tests.local_server import PAGE, Server, page, redirect, serving, status

LOCAL = LinkConfig(allowed_cidrs=("127.0.0.0/8",), respect_robots_txt=False)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


def fetch_link(
    url: str,
    config: LinkConfig,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
    **options: Any,
) -> FetchedLink:
    fetcher = LinkFetcher(config, **options)
    return fetcher.fetch(url, etag=etag, last_modified=last_modified)


def refused(url: str, config: LinkConfig = LOCAL, **options: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        fetch_link(url, config, **options)
    assert len(str(caught.value)) > 40, "a sentence for a person"
    return caught.value


def test_a_page_arrives_with_what_the_server_said_of_it(server: Server):
    server.routes["/refunds?lang=en"] = page(
        ETag='"v1"', Last_Modified="Mon, 02 Nov 2026 10:00:00 GMT"
    )

    fetched = fetch_link(server.url + "/refunds?lang=en#top", LOCAL)

    assert fetched == FetchedLink(
        url=server.url + "/refunds?lang=en#top",
        final_url=server.url + "/refunds?lang=en",
        status=200,
        body=PAGE,
        media_type="text/html",
        charset="utf-8",
        etag='"v1"',
        last_modified="Mon, 02 Nov 2026 10:00:00 GMT",
    )
    assert server.seen[0][1]["User-Agent"].startswith("vivavoce/")
    assert server.seen[0][1]["Host"] == f"127.0.0.1:{server.port}"


def test_an_unchanged_page_is_not_sent_again(server: Server):
    def conditional(request: BaseHTTPRequestHandler) -> None:
        unchanged = request.headers.get("If-None-Match") == '"v1"'
        (status(304, ETag='"v1"') if unchanged else page(ETag='"v1"'))(request)

    server.routes["/"] = conditional

    first = fetch_link(server.url, LOCAL)
    second = fetch_link(
        server.url, LOCAL, etag=first.etag, last_modified="Mon, 02 Nov 2026 10:00:00 GMT"
    )

    assert (first.not_modified, second.not_modified) == (False, True)
    assert (second.status, second.body, second.etag) == (304, b"", '"v1"')
    assert second.last_modified == "Mon, 02 Nov 2026 10:00:00 GMT"
    assert server.seen[1][1]["If-Modified-Since"] == "Mon, 02 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/a",
        "gopher://example.com/",
        "example.com/page",
        "http://user:secret@example.com/",
        "http:///nohost",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/a\r\nX-Injected: 1",
        "http://256.1.1.1/",
        "http://1.2.3.4.5555555555/",
        "",
    ],
)
def test_what_is_no_plain_web_address_is_refused_unasked(url: str):
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"looked up {host}")

    error = refused(url, resolve=resolve)

    assert error.reason == "bad_url"
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_notation(host: str):
    error = refused(f"http://{host}:1/", LinkConfig())

    assert error.reason == "blocked_address"
    assert "allowed_cidrs" in str(error)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1"])
def test_an_allowed_range_holds_for_every_notation_of_its_addresses(host: str):
    # An IPv4-mapped address can only be connected to where the system has IPv6.
    error = refused(f"http://{host}:9/", LOCAL)

    assert error.reason == "unreachable"


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    error = refused(
        "http://docs.example.com/", LinkConfig(), resolve=lambda *_: ["93.184.215.14", "10.0.0.7"]
    )

    assert error.reason == "blocked_address"
    assert "10.0.0.7" in str(error)


def test_the_address_that_was_judged_is_the_one_connected_to(server: Server):
    """DNS rebinding: a second look-up would lead elsewhere, so there is none."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    server.routes["/"] = page()
    fetched = fetch_link(f"http://docs.example.com:{server.port}/", LOCAL, resolve=resolve)

    assert fetched.body == PAGE
    assert asked == ["docs.example.com"]
    assert server.seen[0][1]["Host"] == f"docs.example.com:{server.port}"


def test_a_redirect_is_looked_up_anew_and_judged_anew(server: Server):
    server.routes["/"] = redirect("/next")
    server.routes["/next"] = page(b"secret")
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])

    error = refused(
        f"http://docs.example.com:{server.port}/", LOCAL, resolve=lambda *_: next(answers)
    )

    assert error.reason == "blocked_address"
    assert server.paths() == ["/"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://10.0.0.1/admin", "blocked_address"),
        ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        ("http://[::1]:1/", "blocked_address"),
        ("//2886729729/", "blocked_address"),
        ("file:///etc/passwd", "bad_url"),
        ("http://user:pw@127.0.0.1/", "bad_url"),
    ],
)
def test_a_redirect_leads_nowhere_that_a_link_may_not(server: Server, location: str, reason: str):
    server.routes["/"] = redirect(location)

    assert refused(server.url).reason == reason


def test_a_redirect_is_followed_to_where_it_ends(server: Server):
    server.routes |= {"/a/b": redirect("../c"), "/c": redirect("d?x=1"), "/d?x=1": page()}

    assert fetch_link(server.url + "/a/b", LOCAL).final_url == server.url + "/d?x=1"


def test_a_redirect_loop_ends(server: Server):
    server.routes |= {"/a": redirect("/b"), "/b": redirect("/a")}

    assert refused(server.url + "/a").reason == "too_many_redirects"
    assert len(server.seen) == 6


def test_an_announced_size_is_refused_before_it_is_sent(server: Server):
    server.routes["/"] = page(b"x" * 2000)

    assert refused(server.url, LOCAL.model_copy(update={"max_bytes": 1999})).reason == "too_large"
    assert fetch_link(server.url, LOCAL.model_copy(update={"max_bytes": 2000})).body


def test_an_endless_body_is_cut_off(server: Server):
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/plain")
        request.end_headers()
        for _ in itertools.count():
            request.wfile.write(b"more and more " * 1000)

    server.routes["/"] = endless

    error = refused(server.url, LOCAL.model_copy(update={"max_bytes": 100_000}))

    assert error.reason == "too_large"
    assert "100,000" in str(error)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_bomb_is_stopped_while_it_unfolds(server: Server, encoding: str):
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    server.routes["/"] = page(compress(b"\0" * 30_000_000), Content_Encoding=encoding)

    assert (
        refused(server.url, LOCAL.model_copy(update={"max_bytes": 1_000_000})).reason == "too_large"
    )


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE, mtime=0)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", zlib.compress(PAGE, wbits=-15)),
    ],
)
def test_a_compressed_page_is_read(server: Server, encoding: str, body: bytes):
    server.routes["/"] = page(body, Content_Encoding=encoding)

    assert fetch_link(server.url, LOCAL).body == PAGE


@pytest.mark.parametrize(
    ("encoding", "reason"), [("gzip", "malformed"), ("br", "unsupported_encoding")]
)
def test_a_body_that_cannot_be_decompressed_says_so(server: Server, encoding: str, reason: str):
    server.routes["/"] = page(PAGE, Content_Encoding=encoding)

    assert refused(server.url).reason == reason


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_drips_bytes_is_left(server: Server, part: str):
    """Each single byte comes in time; the whole never would."""
    stop = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        request.wfile.write(start if part == "headers" else start + b"\r\n")
        while not stop.wait(0.02):
            request.wfile.write(b"a")
            request.wfile.flush()

    server.routes["/"] = drip
    config = LOCAL.model_copy(update={"total_timeout_s": 0.3, "connect_timeout_s": 5.0})

    assert refused(server.url, config).reason == "timeout"
    stop.set()


def test_a_server_that_says_nothing_is_left(server: Server):
    stop = threading.Event()

    def silent(request: BaseHTTPRequestHandler) -> None:
        stop.wait(5)

    server.routes["/"] = silent

    error = refused(server.url, LOCAL.model_copy(update={"connect_timeout_s": 0.2}))

    stop.set()
    assert error.reason == "timeout"


@pytest.mark.parametrize("media_type", ["image/png", "video/mp4", "application/javascript"])
def test_a_type_without_text_is_refused_before_its_body(server: Server, media_type: str):
    server.routes["/"] = page(b"\0" * 10, media_type)

    assert refused(server.url).reason == "unsupported_content_type"


@pytest.mark.parametrize("code", [401, 403, 404, 410, 418])
def test_a_refusal_is_named_by_its_status(server: Server, code: int):
    server.routes["/"] = status(code)

    assert refused(server.url).reason == f"http_{code}"
    assert len(server.seen) == 1


def test_a_busy_server_is_asked_again_when_it_says(server: Server):
    answers = iter([status(429, Retry_After="7"), status(503), page()])
    server.routes["/"] = lambda request: next(answers)(request)
    waits: list[float] = []

    assert fetch_link(server.url, LOCAL, sleep=waits.append).body == PAGE
    assert waits == [7.0, 1.0]


def test_a_server_that_stays_busy_is_given_up(server: Server):
    server.routes["/"] = status(503)
    waits: list[float] = []

    assert refused(server.url, sleep=waits.append).reason == "http_503"
    assert (len(server.seen), waits) == (3, [0.5, 1.0])


def test_a_wait_beyond_the_time_limit_is_not_begun(server: Server):
    server.routes["/"] = status(429, Retry_After="3600")

    error = refused(server.url, sleep=lambda _: pytest.fail("waited"))

    assert error.reason == "http_429"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
    ],
)
def test_retry_after_in_both_forms(header: str | None, seconds: float | None):
    assert retry_after(header, now=100.0) == seconds


def test_nobody_listening_is_unreachable():
    assert refused("http://127.0.0.1:9/").reason == "unreachable"


def test_an_unknown_host_is_named():
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    error = refused("http://no-such-host.example/", resolve=resolve)

    assert error.reason == "dns"
    assert "no-such-host.example" in str(error)


def test_proxy_variables_are_not_read(server: Server, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.routes["/"] = page()

    assert fetch_link(server.url, LOCAL).body == PAGE


def obeying() -> LinkConfig:
    return LOCAL.model_copy(update={"respect_robots_txt": True})


def test_robots_txt_is_obeyed_and_read_once(server: Server):
    robots = b"User-agent: *\nDisallow: /private\n"
    server.routes |= {"/robots.txt": page(robots, "text/plain"), "/open": page()}
    fetcher = LinkFetcher(obeying())

    assert fetcher.fetch(server.url + "/open").body == PAGE
    with pytest.raises(DocumentError) as caught:
        fetcher.fetch(server.url + "/private/page")

    assert caught.value.reason == "robots_disallowed"
    assert server.paths() == ["/robots.txt", "/open"]


def test_robots_txt_is_read_again_after_an_hour(server: Server):
    server.routes["/"] = page()
    now = [1000.0]
    fetcher = LinkFetcher(obeying(), clock=lambda: now[0])

    fetcher.fetch(server.url)
    now[0] += 3599
    fetcher.fetch(server.url)
    now[0] += 2
    fetcher.fetch(server.url)

    assert server.paths() == ["/robots.txt", "/", "/", "/robots.txt", "/"]


def test_a_redirect_into_a_disallowed_place_is_not_followed(server: Server):
    robots = b"User-agent: vivavoce\nDisallow: /private\n"
    server.routes |= {"/robots.txt": page(robots, "text/plain"), "/": redirect("/private")}

    assert refused(server.url, obeying()).reason == "robots_disallowed"


@pytest.mark.parametrize(("code", "allowed"), [(404, True), (403, True), (503, False)])
def test_no_robots_txt_means_yes_and_a_broken_server_means_no(
    server: Server, code: int, allowed: bool
):
    server.routes |= {"/robots.txt": status(code), "/": page()}
    fetcher = LinkFetcher(obeying(), sleep=lambda _: None)

    if allowed:
        assert fetcher.fetch(server.url).body == PAGE
    else:
        with pytest.raises(DocumentError, match=r"robots\.txt"):
            fetcher.fetch(server.url)


def test_robots_txt_is_fetched_as_safely_as_a_page(server: Server):
    server.routes |= {"/robots.txt": redirect("http://10.0.0.1/"), "/": page()}

    assert refused(server.url, obeying()).reason == "blocked_address"


def test_the_deadline_covers_every_hop_together(server: Server):
    def slow(request: BaseHTTPRequestHandler) -> None:
        time.sleep(0.15)
        redirect("/")(request)

    server.routes["/"] = slow
    config = LOCAL.model_copy(update={"total_timeout_s": 0.4, "max_redirects": 50})

    assert refused(server.url, config).reason == "timeout"
    assert len(server.seen) < 10


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for docs.example.com in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl program to make a certificate with")
    path = tmp_path / "server.pem"
    subject = ["-subj", "/CN=docs.example.com", "-addext", "subjectAltName=DNS:docs.example.com"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]
    files = [*key, "-out", tmp_path / "certificate.pem"]
    subprocess.run(
        [openssl, "req", "-x509", "-days", "2", *subject, *files], check=True, capture_output=True
    )
    path.write_text(path.read_text() + (tmp_path / "certificate.pem").read_text())
    return path


def test_tls_is_checked_for_the_name_in_the_link_at_the_pinned_address(certificate: Path):
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    trusting = LOCAL.model_copy(update={"ca_file": str(certificate)})

    with serving({"/": page()}, tls=context) as server:
        url = f"https://docs.example.com:{server.port}/"

        def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        assert fetch_link(url, trusting, resolve=resolve).body == PAGE
        assert names == ["docs.example.com"]
        assert refused(url, LOCAL, resolve=resolve).reason == "tls"
        other = url.replace("docs", "other")
        assert refused(other, trusting, resolve=resolve).reason == "tls"
