"""Files of documents as they were handed in: fetched by a link that lasts a quarter of an hour."""

from datetime import timedelta
from pathlib import Path

import httpx

from tests.orchestration.deployed import served_deployment

KEPT = "/knowledge-base"


def test_a_file_is_fetched_as_it_was_handed_in(tmp_path: Path):
    page = b"<html><script>alert(1)</script><p>Refunds take nine days.</p></html>"
    with served_deployment(tmp_path) as served:
        files = {"file": ("Grüße.html", page)}
        document_id = served.call("POST", f"{KEPT}/file", files=files)["id"]
        documents = served.client().conversational_ai.knowledge_base.documents
        url = documents.get_source_file_url(document_id).signed_url
        text_id = served.new_text("Nine days.", "Norway")
        of_text = documents.get_source_file_url(text_id).signed_url
        answer, text = httpx.get(url, trust_env=False), httpx.get(of_text, trust_env=False)

        where = f"{served.url}/v1/convai{KEPT}/{text_id}/source-file-url"
        elsewhere = served.http.get(where, headers={"host": "evil.example"}).json()["signed_url"]

        refused = [
            httpx.get(changed, trust_env=False)
            for changed in (
                of_text.replace(text_id, document_id),
                url.replace("expires_at=", "expires_at=9"),
                url[:-3] + "AAA",
                url[:-3] + "%C3%9F",
            )
        ]
        bare = httpx.get(url.partition("?")[0], trust_env=False)
        clock = served.context.clock
        served.context.clock = lambda: clock() + timedelta(minutes=16)
        late = httpx.get(url, trust_env=False)
        served.context.clock = clock
        served.call("DELETE", f"{KEPT}/{document_id}", 204)
        gone = httpx.get(url, trust_env=False)

    assert elsewhere.startswith(f"/v1/convai{KEPT}/{text_id}/source-file?")
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert text.text == "Nine days."
    assert [each.status_code for each in refused] == [403, 403, 403, 403]
    assert (bare.status_code, late.status_code, gone.status_code) == (422, 403, 404)
    assert "expired" in late.json()["detail"]["message"]


def test_what_is_no_file_of_the_library_has_no_link(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        named = served.call("GET", KEPT)["documents"][0]["id"]
        page = served.call("POST", f"{KEPT}/url", json={"url": "http://127.0.0.1:9/x"})["id"]
        statuses = [
            served.call("GET", f"{KEPT}/{each}/source-file-url", code)["detail"]["status"]
            for each, code in ((named, 400), (page, 400), ("doc_none", 404))
        ]

    assert statuses == ["document_of_agent_file", "not_a_file", "document_not_found"]
