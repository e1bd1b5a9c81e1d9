"""Documents over the network: handed in, read in the background, answered from."""

import os
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import update

from conversation.agent.agent_file import load_agent
from conversation.server.context import ServerContext
from conversation.server.library.library import LibraryLimits
from conversation.store.ownership import this_process
from conversation.store.tables import library_documents
from tests.orchestration.calls import heard_answer
from tests.orchestration.deployed import served_deployment, wait_for


def test_an_agent_answers_from_a_text_that_was_handed_in(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("Parcels to Norway take nine days.", "Norway")
        agent_id = served.agent_with(document_id)
        served.indexed(document_id)
        heard_answer(served, agent_id, "How long do parcels to Norway take?")
        (conversation,) = served.context.store.page(agent_id=agent_id).conversations
        found = served.context.store.retrievals(conversation.conversation_id)

    assert [passage.text for passage in found] == ["Parcels to Norway take nine days."]
    assert found[0].document_id == document_id


def test_a_document_is_listed_read_changed_and_deleted(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("We open at nine.\n\nWe close <late>.", "Hours")
        served.indexed(document_id)
        path = f"/knowledge-base/{document_id}"
        read = served.call("GET", path)
        content = served.http.get(f"/v1/convai{path}/content").text
        chunks = served.call("GET", f"{path}/chunks")["chunks"]
        chunk = served.call("GET", f"{path}/chunk/{chunks[0]['id']}")
        found = served.call("GET", "/knowledge-base/search?query=when do you open")["results"]
        changed = served.call("PATCH", path, json={"name": "New hours", "content": "At ten."})
        served.indexed(document_id)
        again = served.http.get(f"/v1/convai{path}/content").text
        listed = served.call("GET", "/knowledge-base?types=text&search=HOURS")["documents"]
        served.call("DELETE", path, 204)
        gone = served.call("GET", path, 404)
        texts = [each.name for each in served.authoring.library.index.documents()]
        left = list(served.authoring.library.folder.iterdir())

    assert read["extracted_inner_html"] == "<p>We open at nine.</p><p>We close &lt;late&gt;.</p>"
    assert content == "We open at nine.\n\nWe close <late>."
    assert chunk["content"] in content
    assert found[0]["document"]["id"] == document_id
    assert found[0]["search_snippet"][0]["value"] in content
    assert (changed["name"], again) == ("New hours", "At ten.")
    assert [each["id"] for each in listed] == [document_id]
    assert gone["detail"]["status"] == "document_not_found"
    assert (texts, left) == ([], [])


def test_a_file_is_what_its_content_says(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        page = ("../../etc/help.html", b"<html><body><p>Refunds take nine days.</p></body></html>")
        good = served.call("POST", "/knowledge-base/file", files={"file": page})
        bad_file = ("letter.pdf", b"%PDF-1.7 broken")
        bad = served.call("POST", "/knowledge-base/file", files={"file": bad_file})
        served.indexed(good["id"])
        served.indexed(bad["id"], "failed")
        text = served.http.get(f"/v1/convai/knowledge-base/{good['id']}/content").text
        failed = served.call("GET", f"/knowledge-base/{bad['id']}")
        (index,) = served.call("GET", f"/knowledge-base/{bad['id']}/rag-index")["indexes"]
        no_text = served.call("GET", f"/knowledge-base/{bad['id']}/content", 400)
        mended = ("letter.txt", b"Dear customer.")
        path = f"/knowledge-base/{bad['id']}"
        served.call("PATCH", f"{path}/update-file", files={"file": mended})
        served.indexed(bad["id"])
        empty = {"file": ("a.txt", b"")}
        served.call("POST", "/knowledge-base/file", 422, files=empty)
        outside = [each for each in tmp_path.rglob("help.html") if "library" not in each.parts]

    assert good["name"] == "help.html"
    assert "nine days" in text
    assert (failed["status"], failed["reason"], failed["filename"]) == (
        "failed",
        "malformed",
        "letter.pdf",
    )
    assert index["reason"] == "malformed"
    assert no_text["detail"]["status"] == "document_failed"
    assert outside == []


def test_a_page_is_read_once_more_when_it_is_handed_in_again(tmp_path: Path):
    with served_deployment(tmp_path) as served, site() as (url, pages):
        body = {"url": f"{url}/help", "name": "Help"}
        first = served.call("POST", "/knowledge-base/url", json=body)["id"]
        served.indexed(first)
        pages["/help"] = "<p>Parcels take three days now, as of May.</p>"
        second = served.call("POST", "/knowledge-base/url", json=body)["id"]
        served.indexed(second)
        text = served.http.get(f"/v1/convai/knowledge-base/{second}/content").text
        missing = served.call("POST", "/knowledge-base/url", json={"url": f"{url}/none"})["id"]
        served.indexed(missing, "failed")
        reason = served.call("GET", f"/knowledge-base/{missing}")["reason"]
        for bad in ("ftp://example.com/x", "file:///etc/passwd", "no url"):
            served.call("POST", "/knowledge-base/url", 422, json={"url": bad})

    assert first == second
    assert "three days now" in text
    assert reason == "http_404"


def test_a_page_of_a_private_network_is_refused(tmp_path: Path):
    with served_deployment(tmp_path, networks="") as served, site() as (url, _pages):
        added = served.call("POST", "/knowledge-base/url", json={"url": f"{url}/help"})
        served.indexed(added["id"], "failed")
        reason = served.call("GET", f"/knowledge-base/{added['id']}")["reason"]

    assert reason == "blocked_address"


def test_documents_of_an_agent_file_are_documents_too(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        served.authoring.request_sync("shop-desk")
        wait_for(lambda: served.authoring.queue.sync_states()["shop-desk"].status == "succeeded")
        listed = served.call("GET", "/knowledge-base")["documents"]
        refunds = next(each for each in listed if each["name"] == "refunds.md")
        path = f"/knowledge-base/{refunds['id']}"
        text = served.http.get(f"/v1/convai{path}/content").text
        agents = served.call("GET", f"{path}/dependent-agents")["agents"]
        in_use = served.call("DELETE", path, 400)
        not_here = served.call("PATCH", path, 400, json={"name": "x"})
        served.call("DELETE", f"{path}?force=true", 204)
        agent = load_agent(served.settings.agents_dir / "shop-desk.yaml")

    assert {each["name"] for each in listed} == {"refunds.md", "delivery.md"}
    assert "five days" in text
    assert [each["id"] for each in agents] == ["shop-desk"]
    assert in_use["detail"]["status"] == "document_in_use"
    assert not_here["detail"]["status"] == "document_of_agent_file"
    assert agent.knowledge_base.files == ("../documents/delivery.md",)
    assert (tmp_path / "documents" / "refunds.md").exists()


def test_a_deleted_document_is_no_longer_answered_from(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        document_id = served.new_text("Parcels to Norway take nine days.")
        other = served.new_text("We open at nine.")
        agent_id = served.agent_with(document_id, other)
        served.indexed(document_id)
        served.call("DELETE", f"/knowledge-base/{document_id}?force=true", 204)
        served.indexed(other)
        held = served.authoring.indexed_documents(agent_id)
        bulk = {"document_ids": [other, "doc_none"]}
        answers = served.call("POST", "/knowledge-base/bulk-delete", json=bulk)

    assert [document.document_id for document in held] == [other]
    assert answers[other]["error_status"] == "document_in_use"
    assert answers["doc_none"]["error_code"] == 404


def test_limits_hold_for_uploads_at_the_same_time(tmp_path: Path):
    def limited(context: ServerContext) -> None:
        assert context.authoring is not None
        context.authoring.library.limits = LibraryLimits(documents=4, total_bytes=1_000)

    with served_deployment(tmp_path, prepare=limited) as served, ThreadPoolExecutor(8) as pool:
        body = {"text": "Nine days. " * 8, "name": "Parcels"}
        path = "/v1/convai/knowledge-base/text"
        answers = list(pool.map(lambda _: served.http.post(path, json=body), range(12)))
        kept = served.authoring.library.documents()
        large = served.call("POST", "/knowledge-base/text", 400, json={"text": "x" * 2_000})
        served.call("DELETE", f"/knowledge-base/{kept[0].document_id}", 204)
        too_large = served.call("POST", "/knowledge-base/text", 413, json={"text": "x" * 2_000})
        folders = list(served.authoring.library.folder.iterdir())

    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [400] * 8
    assert len(kept) == 4
    assert large["detail"]["status"] == "document_limit_exceeded"
    assert too_large["detail"]["status"] == "library_size_exceeded"
    assert len(folders) == 3


def test_an_agent_takes_no_more_documents_than_it_may(tmp_path: Path):
    with served_deployment(tmp_path) as served, ThreadPoolExecutor(8) as pool:
        agent_id = served.agent_with()
        path = f"/v1/convai/knowledge-base?agent_id={agent_id}"

        def upload(number: int) -> int:
            file = (f"{number}.txt", f"Text number {number}.".encode())
            return served.http.post(path, files={"file": file}).status_code

        statuses = list(pool.map(upload, range(8)))
        wait_for(lambda: len(served.authoring.indexed_documents(agent_id)) == 5)
        agent = load_agent(served.settings.agents_dir / f"{agent_id}.yaml")
        held = served.authoring.library.documents()

    assert sorted(statuses) == [200] * 5 + [400] * 3
    assert len(agent.knowledge_base.files) == len(held) == 5


def test_an_agent_says_which_of_its_documents_failed(tmp_path: Path):
    with served_deployment(tmp_path) as served, site() as (url, _pages):
        added = served.call("POST", "/knowledge-base/url", json={"url": f"{url}/none"})
        served.indexed(added["id"], "failed")
        agent_id = served.agent_with(added["id"])

        def state() -> dict[str, str]:
            return served.call("GET", f"/agents/{agent_id}")["knowledge_base_state"]

        wait_for(lambda: state()["status"] == "succeeded")
        message = state()["message"]

    assert "404" in message


def test_what_a_killed_server_was_reading_is_read_by_the_next(tmp_path: Path):
    def asleep(context: ServerContext) -> None:
        assert context.authoring is not None
        context.authoring.ingestion.start = lambda: None  # pyright: ignore[reportAttributeAccessIssue]

    with served_deployment(tmp_path, prepare=asleep) as served:
        one, two = served.new_text("Nine days.", "One"), served.new_text("Ten days.", "Two")
        agent_id = served.agent_with(one)
        with served.context.store.engine.begin() as connection:
            dead = this_process().replace(f"/{os.getpid()}/", "/999999999/")
            first = library_documents.c.document_id == one
            held = {"status": "processing", "owner": dead}
            connection.execute(update(library_documents).where(first).values(held))
        assert (served.index_status(one), served.index_status(two)) == ("processing", "created")

    with served_deployment(tmp_path) as served:
        served.indexed(one)
        served.indexed(two)
        documents = served.authoring.indexed_documents(agent_id)

    assert [document.document_id for document in documents] == [one]


@contextmanager
def site() -> Generator[tuple[str, dict[str, str]]]:
    """A web server whose pages a test can change."""
    pages = {"/help": "<p>Parcels take two days to arrive here.</p>"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = pages.get(self.path)
            self.send_response(404 if found is None else 200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f"<html><body>{found}</body></html>".encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
