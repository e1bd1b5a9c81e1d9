"""Pages that stand in for others are rows with a reason, and each page is taken in once."""

from collections.abc import Iterator

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
    ],
)
def test_what_stands_in_for_a_page_is_a_row_with_a_reason(
    open_kb: OpenKnowledgeBase, server: Server, body: str, reason: str | None
):
    server.routes["/a"] = page(f"<html><body>{body}</body></html>".encode())

    row = open_kb(CONFIG).sync([LinkSource(server.url + "/a")]).rows[0]

    assert row.reason == reason


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
