"""The stored report as a page that a person opens by a link."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from orchestration.operations.exports import REPORT_PAGE_PATH, page_files, write_report_page
from orchestration.operations.operations import publish_reports
from tests.analysis.calls import hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    with served_deployment(tmp_path_factory.mktemp("report")) as opened:
        yield opened


def basic(given: str) -> dict[str, str]:
    """What a browser sends for NAME:PASSWORD."""
    return {"authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}


def opened(served: ServedDeployment, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{served.url}{REPORT_PAGE_PATH}", headers=headers, trust_env=False)


def test_a_browser_asks_for_the_key_and_shows_the_page(served: ServedDeployment):
    key = served.key("read")
    before = opened(served, basic(f":{key}"))
    hold_call(served.deployment.conversations, "c1", question="When?", answer="Soon.")
    publish_reports(served.deployment)
    page, _ = write_report_page(served.deployment, NOW)

    strange = opened(served, {})
    known = [
        opened(served, headers)
        for headers in (
            basic(f":{key}"),
            basic(f"anybody:{key}"),
            basic(f"{key}:"),
            {"xi-api-key": key},
            {"authorization": f"Bearer {key}"},
            basic(f":{served.key('admin')}"),
        )
    ]

    assert before.status_code == 404
    assert "report_page" in before.json()["detail"]["message"]
    assert strange.status_code == 401
    assert strange.headers["www-authenticate"].startswith("Basic realm=")
    assert {answer.status_code for answer in known} == {200}
    assert {answer.content for answer in known} == {page.read_bytes()}
    headers = known[0].headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    page_files(served.deployment)[0].unlink()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (basic(":wrong"), 401),
        (basic(":"), 401),
        (basic("no colon"), 401),
        ({"authorization": "Basic ???"}, 401),
        ({"authorization": "Basic"}, 401),
        ({"authorization": "Basic " + "QQ" * 5_000}, 401),
        ({"authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()}, 401),
        ({"authorization": "Digest OnZ2"}, 401),
    ],
)
def test_who_has_no_key_is_asked_for_one(
    served: ServedDeployment, headers: dict[str, str], status: int
):
    assert opened(served, headers).status_code == status


def test_a_key_for_other_things_opens_no_report(served: ServedDeployment):
    for scope in ("ingest", "converse", "label"):
        assert opened(served, basic(f":{served.key(scope)}")).status_code == 403


def test_what_a_browser_remembers_opens_nothing_else(served: ServedDeployment):
    """A page of others can make a browser send it, so that it must be good for this page alone."""
    headers = basic(f":{served.key('admin')}")
    for method, path in (("GET", "/api/reports"), ("GET", "/v1/convai/conversations")):
        answer = httpx.request(method, f"{served.url}{path}", headers=headers, trust_env=False)
        assert answer.status_code == 401
