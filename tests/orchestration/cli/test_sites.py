"""A site in an agent file, from a real local server to the agent's knowledge base."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conversation.agent.agent_file import parse_agent
from conversation.errors import AgentConfigError
from orchestration.knowledge.ingesting import ingest
from orchestration.knowledge.sources import unread_sources
from tests.local_server import Server, page, serving
from tests.orchestration.sample import sample_deployment, write_data


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        for name in ("refunds", "parcels", "drafts/x"):
            served.routes[f"/{name}"] = page(f"<p>All about {name}.</p>".encode())
        entries = "".join(f"<url><loc>{served.url}{path}</loc></url>" for path in served.routes)
        served.routes["/"] = page()
        served.routes["/sitemap.xml"] = page(f"<urlset>{entries}</urlset>".encode(), "text/xml")
        yield served


def test_an_agent_answers_from_the_pages_of_a_site(server: Server, tmp_path: Path):
    settings = write_data(tmp_path / "data")
    (settings.agents_dir / "shop-desk.yaml").write_text(
        "agent_id: shop-desk\nname: Shop desk\nknowledge_base:\n"
        f"  sites:\n    - {{url: '{server.url}/', max_pages: 9, exclude: ['/drafts/*']}}\n"
        "  allowed_cidrs: [127.0.0.0/8]\n"
    )

    with sample_deployment(settings) as deployment:
        before = unread_sources(deployment, "shop-desk")
        report = ingest(deployment, "shop-desk")
        after = unread_sources(deployment, "shop-desk")
        found = deployment.knowledge_base("shop-desk").retrieve("parcels", limit=1)

    assert [row.source.removeprefix(server.url) for row in report.rows] == ["/refunds", "/parcels"]
    assert (before, after) == ([f"{server.url}/"], [])
    assert found[0].document_name == f"{server.url}/parcels"


def test_private_pages_stay_closed_without_a_word_of_the_agent_file(server: Server, tmp_path: Path):
    settings = write_data(tmp_path / "data")
    (settings.agents_dir / "shop-desk.yaml").write_text(
        "agent_id: shop-desk\nname: Shop desk\n"
        f"knowledge_base: {{sites: [{{url: '{server.url}/'}}]}}\n"
    )

    with sample_deployment(settings) as deployment:
        report = ingest(deployment, "shop-desk")

    assert [row.reason for row in report.rows] == ["blocked_address"]
    assert server.seen == []


def test_an_unknown_key_of_a_site_is_refused():
    with pytest.raises(AgentConfigError, match="max_page"):
        parse_agent(
            "agent_id: a\nname: A\nknowledge_base:\n  sites: [{url: x, max_page: 3}]\n", origin="a"
        )


def test_a_site_that_cannot_be_listed_is_told_as_failed_and_not_as_unread(
    server: Server, tmp_path: Path
):
    settings = write_data(tmp_path / "data")
    for path in list(server.routes):
        del server.routes[path]
    (settings.agents_dir / "shop-desk.yaml").write_text(
        "agent_id: shop-desk\nname: Shop desk\nknowledge_base:\n"
        f"  sites:\n    - {{url: '{server.url}/help/', max_pages: 9}}\n"
        "  allowed_cidrs: [127.0.0.0/8]\n"
    )

    with sample_deployment(settings) as deployment:
        before = unread_sources(deployment, "shop-desk")
        ingest(deployment, "shop-desk")
        after = unread_sources(deployment, "shop-desk")
        states = [each.status for each in deployment.knowledge_base("shop-desk").documents()]

    assert (before, after, states) == ([f"{server.url}/help/"], [], ["failed"])
