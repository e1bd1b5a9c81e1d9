"""Pages that stand in for others are rows with a reason, and each page is taken in once."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from kb.config import KnowledgeBaseConfig, Limits, LinkConfig
from kb.document import LinkSource
from tests.kb.conftest import OpenKnowledgeBase
from tests.local_server import Server, page, redirect, serving

CONFIG = KnowledgeBaseConfig(
    limits=Limits(max_documents=None), links=LinkConfig(allowed_cidrs=("127.0.0.0/8",))
)
LONG = "<p>" + "The office explains the rules of the house here. " * 20 + "</p>"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({}) as served:
        yield served


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('<meta http-equiv="refresh" content="0; url=/new"><p>Moved.</p>', "moved"),
        ("<h1>Sign in</h1><form><input type=password></form>", "sign_in"),
        ("<title>404 - nothing here</title><p>Sorry.</p>", "soft_404"),
        ("<h1>Seite nicht gefunden (404)</h1>", "soft_404"),
        (f'<meta http-equiv="refresh" content="300; url=/"><h1>News</h1>{LONG}', None),
        ('<meta http-equiv="refresh" content="300"><h1>News</h1><p>Each day.</p>', None),
        (f"<form><input type=password></form><h1>Shop</h1>{LONG}", None),
        ("<h1>Error E-404 of the pump</h1><p>Bleed it.</p>", None),
        (f"<h1>What 404 means</h1>{LONG}", None),
        ("<title>Page not found | Shop</title><h1>Oops!</h1><p>Sorry (404).</p>", "soft_404"),
        (f"<title>Shop</title><h1>Seite nicht gefunden</h1>{LONG}", "soft_404"),
        ("<h1>Cette page n\u2019existe pas.</h1><p>Retour.</p>", "soft_404"),
        ("<title>ページが見つかりません - 会社</title><p>…</p>", "soft_404"),
        ("<title>الصفحة غير موجودة</title><p>…</p>", "soft_404"),
        ("<title>Страница не найдена</title>", "soft_404"),
        ("<title>Bag not found on the plane</title><p>Call us.</p>", None),
        (f"<h1>Page not found</h1>{LONG * 2}", None),
        ("<h1>Welcome</h1><form><input autocomplete='username webauthn'></form>", "sign_in"),
        (f"<nav>{LONG}</nav><h1>Sign in</h1><form><input type=password></form>", "sign_in"),
        ("<header><input type=password></header><h1>Fees</h1><p>Nine euros.</p>", None),
        ("<h1>Newsletter</h1><p>Weekly.</p><form><input type=email></form>", None),
    ],
)
def test_what_stands_in_for_a_page_is_a_row_with_a_reason(
    open_kb: OpenKnowledgeBase, server: Server, body: str, reason: str | None
):
    server.routes["/a"] = page(f"<html><body>{body}</body></html>".encode())

    row = open_kb(CONFIG).sync([LinkSource(server.url + "/a")]).rows[0]

    assert row.reason == reason


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("/signin?next=/a", "sign_in"),
        ("/login?lang=en&ReturnUrl=%2Fa", "sign_in"),
        ("/oauth?redirect_uri=http://127.0.0.1:{port}/callback", "sign_in"),
        ("/consent?continue=http%3A%2F%2F127.0.0.1%3A{port}%2Fa", "sign_in"),
        ("/new?from=/b", None),
        ("/new?page=2", None),
        ("/a?lang=en&next=/a", None),
    ],
)
def test_a_gate_that_knows_the_way_back_is_no_page(
    open_kb: OpenKnowledgeBase, server: Server, target: str, reason: str | None
):
    target = target.format(port=server.port)
    server.routes["/a"] = redirect(target)
    server.routes[target] = page(b"<h1>Welcome</h1><p>Go on with your work account.</p>")

    row = open_kb(CONFIG).sync([LinkSource(server.url + "/a")]).rows[0]

    assert row.reason == reason


def test_a_page_that_the_server_shows_for_anything_is_none(
    open_kb: OpenKnowledgeBase, server: Server
):
    def nothing_here(handler: BaseHTTPRequestHandler) -> None:
        said = f"<h1>Hmm.</h1><p>Nothing grows at {handler.path} any more.</p>"
        page(said.encode())(handler)

    server.fallback = nothing_here
    server.routes["/d/real"] = page(b"<h1>Roses</h1><p>Water them daily.</p>")
    links = [LinkSource(server.url + path) for path in ("/", "/d/gone", "/d/lost", "/d/real")]

    rows = open_kb(CONFIG).sync(links).rows

    assert [row.reason for row in rows] == [None, "soft_404", "soft_404", None]
    assert sum("/d/no-" in path for path in server.paths()) == 1


def test_an_article_about_missing_pages_is_one(open_kb: OpenKnowledgeBase, server: Server):
    server.routes["/help/page-not-found"] = page(b"<h1>Page not found</h1><p>Reload it.</p>")

    row = open_kb(CONFIG).sync([LinkSource(server.url + "/help/page-not-found")]).rows[0]

    assert row.action == "added"


def test_each_page_counts_once(open_kb: OpenKnowledgeBase, server: Server):
    canonical = '<link rel="canonical" href="/a">'
    server.routes |= {
        "/a": page(f"{canonical}<p>Opening hours</p>".encode()),
        "/a2": page(f"{canonical}<p>Opening hours, sorted</p>".encode()),
        "/b": redirect("/a"),
        "/c": page(b"<p>Fees</p>"),
        "/c/": page(b"<p>Fees</p>"),
    }
    links = [LinkSource(server.url + path) for path in ("/a", "/a2", "/b", "/c", "/c/")]
    kb = open_kb(CONFIG)

    for _ in range(2):
        reasons = [row.reason for row in kb.sync(links).rows]
        assert reasons == [None, "duplicate", "duplicate", None, "duplicate"]
    ready = [document for document in kb.documents() if document.status == "ready"]
    assert len(ready) == 2
