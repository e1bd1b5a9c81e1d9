"""Sites that are read into a folder, as the SDKs ask for it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conversation.server.library.crawl_jobs import CrawlJobs
from conversation.server.library.folders import Folders
from conversation.server.library.library import LibraryLimits
from kb.config import KnowledgeBaseConfig
from kb.document import SiteSource
from tests.orchestration.deployed import ServedDeployment, served_deployment, wait_for
from tests.orchestration.server.test_documents_api import site

BASE = "/knowledge-base/crawl"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    folder: Path = tmp_path_factory.mktemp("crawls")
    with served_deployment(folder) as opened:
        yield opened


def over(served: ServedDeployment, job: str) -> dict[str, Any]:
    def status() -> str:
        return served.call("GET", f"{BASE}/{job}")["status"]

    wait_for(lambda: status() not in ("queued", "processing"))
    return served.call("GET", f"{BASE}/{job}")


@pytest.mark.slow
def test_a_site_is_read_into_a_folder(served: ServedDeployment):
    with site() as (url, pages):
        for name in ("/docs/one", "/docs/two", "/docs/secret"):
            pages[name] = f"<p>All about {name}, at some length, for those who read it.</p>"
        pages["/docs/"] = "".join(f'<a href="{name}">x</a>' for name in pages)
        body = {"url": f"{url}/docs/", "exclude_patterns": ["*/secret", "/docs/"]}
        begun = served.call("POST", BASE, json=body)
        done = over(served, begun["id"])
        listed = served.call("GET", "/knowledge-base", params={"types": "url"})["documents"]

    assert (done["status"], done["pages_identified"], done["pages_scraped"]) == ("succeeded", 2, 2)
    assert {each["url"] for each in listed} == {f"{url}/docs/one", f"{url}/docs/two"}
    assert {each["folder_parent_id"] for each in listed} == {begun["root_folder_id"]}
    folder = served.call("GET", f"/knowledge-base/{begun['root_folder_id']}")
    assert (folder["name"], folder["document_count"]) == (f"{url}/docs/", 2)
    jobs = served.call("GET", BASE)["crawl_jobs"]
    assert begun["id"] in [each["id"] for each in jobs]
    served.call("POST", f"{BASE}/{begun['id']}/cancel", 400)
    served.call("GET", f"{BASE}/none", 404)


def test_a_site_that_cannot_be_listed_says_why(served: ServedDeployment):
    with site() as (url, _pages):
        done = over(served, served.call("POST", BASE, json={"url": f"{url}/none"})["id"])
    assert done["status"] == "failed"
    assert "404" in done["message"]


@pytest.mark.parametrize(
    "part",
    [
        {"sitemap_urls": ["https://a.example/s.xml"]},
        {"enable_auto_sync": True},
        {"minimum_frequency_days": 7},
        {"parent_folder_id": "none"},
        {"max_depth": 3},
        {"url": "ftp://a.example"},
    ],
    ids=str,
)
def test_what_would_have_no_effect_is_refused(served: ServedDeployment, part: dict[str, Any]):
    before = len(served.call("GET", BASE)["crawl_jobs"])
    answer = served.http.post(f"/v1/convai{BASE}", json={"url": "https://a.example"} | part)
    assert answer.status_code in (400, 404, 422)
    assert next(iter(part)) in answer.text or answer.status_code == 404
    assert len(served.call("GET", BASE)["crawl_jobs"]) == before


def test_pages_beyond_a_full_library_and_after_a_cancellation_are_counted(
    served: ServedDeployment,
):
    may_list, library = threading.Event(), served.authoring.library

    def listing(_site: SiteSource, _config: KnowledgeBaseConfig) -> list[str]:
        may_list.wait(30)
        return [f"https://127.0.0.1:1/{number}" for number in range(5)]

    jobs = CrawlJobs(
        served.context.records,
        library,
        Folders(served.context.records),
        clock=served.context.clock,
        place=lambda document, to: served.authoring.following.place(document, to, by="crawl"),
        wake=lambda: None,
        list_site=listing,
    )
    first = jobs.create(SiteSource("https://127.0.0.1:1"), parent_id=None).job_id
    jobs.cancel(first)
    second = jobs.create(SiteSource("https://127.0.0.1:1"), parent_id=None).job_id
    library.limits = LibraryLimits(documents=len(library.documents()) + 2)
    may_list.set()
    wait_for(lambda: jobs.get(second).body.get("listed"))

    assert jobs.get(first).status == "cancelled"
    assert (jobs.get(second).identified, jobs.get(second).skipped) == (5, 3)
    assert "library holds" in (jobs.get(second).message or "")
    folder = str(jobs.get(first).body["folder_id"])
    assert folder not in Folders(served.context.records).tree().placed.values()
