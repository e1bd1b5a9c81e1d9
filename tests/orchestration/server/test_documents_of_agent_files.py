"""Documents that agent files name by themselves: read when somebody asks for it."""

from pathlib import Path

from elevenlabs.types import RagDocumentIndexResponseModel

from tests.orchestration.deployed import ServedDeployment, served_deployment, wait_for

MODEL = {"model": "multilingual_e5_large_instruct"}


def document_id(served: ServedDeployment, name: str) -> str:
    listed = served.call("GET", "/knowledge-base")["documents"]
    return next(each["id"] for each in listed if each["name"] == name)


def test_a_document_that_was_never_read_says_what_to_do_and_computing_its_index_does_it(
    tmp_path: Path,
):
    with served_deployment(tmp_path) as served:
        refunds = document_id(served, "refunds.md")
        path = f"/knowledge-base/{refunds}"
        listed = served.call("GET", path)
        looked_at = served.call("GET", f"{path}/rag-index")["indexes"][0]
        no_text = served.call("GET", f"{path}/content", 400)
        item = {"document_id": refunds, "create_if_missing": False, **MODEL}
        only_asked = served.call("POST", "/knowledge-base/rag-index", json={"items": [item]})
        never_asked = served.authoring.queue.sync_states()
        asked = served.client().conversational_ai.knowledge_base.document.compute_rag_index(
            refunds, model="multilingual_e5_large_instruct"
        )
        served.indexed(refunds)
        text = served.http.get(f"/v1/convai{path}/content").text

    assert (listed["status"], listed["reason"]) == ("new", "not_ingested")
    assert listed["message"] == (
        "The agent 'shop-desk' has not read it yet. Ask "
        f"`POST /v1/convai/knowledge-base/{refunds}/rag-index`, or run `vivavoce ingest shop-desk`."
    )
    assert RagDocumentIndexResponseModel.model_validate(looked_at).status == "new"
    assert no_text["detail"]["status"] == "document_not_ingested"
    assert only_asked[refunds]["data"]["status"] == "new"
    assert never_asked == {}
    assert asked.status in ("created", "processing", "succeeded")
    assert "five days" in text


def test_several_documents_are_read_when_their_indexes_are_wanted(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        ids = [document_id(served, name) for name in ("refunds.md", "delivery.md")]
        items = [{"document_id": each, **MODEL} for each in ids]
        served.call("POST", "/knowledge-base/rag-index", json={"items": items})
        for each in ids:
            served.indexed(each)


def test_a_file_that_is_not_there_fails_and_is_read_again_once_it_is(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        refunds = document_id(served, "refunds.md")
        file = tmp_path / "documents" / "refunds.md"
        content = file.read_bytes()
        file.unlink()
        served.indexed(refunds, "failed")
        failed = served.call("GET", f"/knowledge-base/{refunds}")
        file.write_bytes(content)
        served.call("POST", f"/knowledge-base/{refunds}/refresh")
        wait_for(lambda: served.index_status(refunds) == "succeeded")

    assert failed["reason"]
    assert failed["message"]
