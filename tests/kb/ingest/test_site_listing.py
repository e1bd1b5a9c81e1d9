"""Whole sites as sources, from a real local server to the index."""

from collections.abc import Iterator

import pytest

from kb.config import KnowledgeBaseConfig, Limits, LinkConfig
from kb.document import LinkSource, SiteSource, SyncReport, TextSource
from kb.errors import DocumentError
from tests.kb.conftest import OpenKnowledgeBase
from tests.local_server import Server, page, serving, status

LOCAL = LinkConfig(allowed_cidrs=("127.0.0.0/8",), max_retries=0, crawl_pause_s=0)
NAMES = ("refunds", "parcels", "islands", "invoices")


def config(max_documents: int | None = None) -> KnowledgeBaseConfig:
    return KnowledgeBaseConfig(limits=Limits(max_documents=max_documents), links=LOCAL)


def article(name: str, *, edition: int = 1) -> bytes:
    said = f"Everything about {name}, edition {edition}. " * 3
    return f"<html><title>{name}</title><body><p>{said}</p></body></html>".encode()


def list_in_sitemap(server: Server, *names: str) -> None:
    entries = "".join(f"<url><loc>{server.url}/help/{name}</loc></url>" for name in names)
    server.routes["/sitemap.xml"] = page(f"<urlset>{entries}</urlset>".encode(), "text/xml")


@pytest.fixture
def server() -> Iterator[Server]:
    routes = {f"/help/{name}": page(article(name)) for name in NAMES}
    with serving({"/help/": page(), **routes}) as served:
        list_in_sitemap(served, *NAMES)
        yield served


def outcomes(report: SyncReport) -> list[tuple[str, str, str | None]]:
    return [(row.source.rpartition("/")[2], row.action, row.reason) for row in report.rows]


def test_each_page_of_a_site_is_a_document(open_kb: OpenKnowledgeBase, server: Server):
    kb = open_kb(config())

    report = kb.add_site(server.url + "/help/", exclude=["*/invoices"])

    assert outcomes(report) == [(name, "added", None) for name in NAMES[:3]]
    assert [document.kind for document in kb.documents()] == ["link"] * 3
    assert kb.index_version == 1
    assert kb.retrieve("islands", limit=1)[0].document_name == "islands"
    again = kb.add_site(server.url + "/help/", include=["*/refunds"])
    assert (outcomes(again), again.chunks_embedded) == ([("refunds", "unchanged", None)], 0)
    assert len(kb.documents()) == 3


def test_a_page_that_fails_is_a_row_and_the_others_go_in(
    open_kb: OpenKnowledgeBase, server: Server
):
    server.routes["/help/parcels"] = status(404)
    kb = open_kb(config())

    report = kb.add_site(server.url + "/help/", max_pages=3)

    assert outcomes(report) == [
        ("refunds", "added", None),
        ("parcels", "failed", "http_404"),
        ("islands", "added", None),
    ]


def test_pages_beyond_the_limit_are_reported_and_not_fetched(
    open_kb: OpenKnowledgeBase, server: Server
):
    kb = open_kb(config(max_documents=3))
    kb.add_text("Hours", "We are open from nine to five.")

    report = kb.add_site(server.url + "/help/")

    assert outcomes(report) == [
        ("refunds", "added", None),
        ("parcels", "added", None),
        ("islands", "failed", "limit"),
        ("invoices", "failed", "limit"),
    ]
    assert "`limits.max_documents`" in (report.rows[2].detail or "")
    assert "/help/islands" not in server.paths()


def test_a_site_that_cannot_be_listed_is_an_error_of_adding(
    open_kb: OpenKnowledgeBase, server: Server
):
    kb = open_kb(config())

    with pytest.raises(DocumentError) as caught:
        kb.add_site(server.url + "/nothing/")

    assert caught.value.reason == "http_404"
    assert kb.index_version == 0


def test_a_sync_follows_the_site(open_kb: OpenKnowledgeBase, server: Server):
    kb = open_kb(config())
    wanted = [
        LinkSource(f"{server.url}/help/refunds", "Money back"),
        SiteSource(server.url + "/help/"),
        TextSource("Hours", "We are open from nine to five."),
    ]
    assert kb.plan(wanted).count("added") == 5
    kb.sync(wanted)
    list_in_sitemap(server, "refunds", "parcels", "islands")
    server.routes["/help/parcels"] = page(article("parcels", edition=2))

    report = kb.sync(wanted)

    assert outcomes(report) == [
        ("refunds", "unchanged", None),
        ("parcels", "replaced", None),
        ("islands", "unchanged", None),
        ("Hours", "unchanged", None),
        ("invoices", "removed", None),
    ]
    assert kb.documents()[0].name == "Money back"


def test_a_site_that_is_down_keeps_its_pages(open_kb: OpenKnowledgeBase, server: Server):
    kb = open_kb(config())
    site = SiteSource(server.url + "/help/")
    kb.sync([site])
    kept = dict(server.routes)
    for path in kept:
        server.routes[path] = status(503)

    report = kb.sync([site])

    assert outcomes(report) == [(name, "failed", "http_503") for name in NAMES] + [
        ("", "failed", "http_503")
    ]
    assert [passage.document_name for passage in kb.retrieve("islands", limit=1)] == ["islands"]
    server.routes.update(kept)
    recovered = kb.sync([site])
    assert [row.action for row in recovered.rows] == ["unchanged"] * 4 + ["removed"]
    assert all(document.reason is None for document in kb.documents())


def test_a_site_with_no_page_in_scope_is_a_failed_row(open_kb: OpenKnowledgeBase, server: Server):
    report = open_kb(config()).sync([SiteSource(server.url + "/help/", include=("/elsewhere/*",))])

    assert outcomes(report) == [("", "failed", "empty")]
