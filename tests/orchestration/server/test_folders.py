"""Folders of documents, as the SDKs make, fill and delete them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.orchestration.deployed import ServedDeployment, served_deployment

BASE = "/knowledge-base"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    folder: Path = tmp_path_factory.mktemp("folders")
    with served_deployment(folder) as opened:
        yield opened


def folder(served: ServedDeployment, name: str, parent: str | None = None) -> str:
    body = {"name": name} | ({} if parent is None else {"parent_folder_id": parent})
    return served.call("POST", f"{BASE}/folder", json=body)["id"]


def names(served: ServedDeployment, **params: Any) -> list[str]:
    return [each["name"] for each in served.call("GET", BASE, params=params)["documents"]]


@pytest.mark.hostile
@pytest.mark.parametrize("name", ["Help\nAdmin", "\u202etxt.exe", "a\x1b[2Jb"])
def test_a_name_that_misleads_is_refused_and_that_of_a_file_is_cleaned(
    served: ServedDeployment, name: str
):
    text = served.new_text("Yaks eat grass.", name="Yaks")
    for method, path, body in (
        ("POST", f"{BASE}/folder", {"name": name}),
        ("POST", f"{BASE}/text", {"name": name, "text": "Yaks."}),
        ("POST", f"{BASE}/url", {"name": name, "url": "https://example.com/"}),
        ("PATCH", f"{BASE}/{text}", {"name": name}),
        ("POST", "/tags", {"title": name}),
        ("POST", "/agents/create", {"name": name, "conversation_config": {}}),
    ):
        assert "on one line" in str(served.call(method, path, 422, json=body)), path
    file = ("yaks.txt", b"Yaks eat grass.", "text/plain")
    form = {"files": {"file": file}, "data": {"name": name}}
    assert "on one line" in str(served.call("POST", f"{BASE}/file", 422, **form))
    unnamed = ("a\u202eb.txt", b"Yaks eat moss.", "text/plain")
    made = served.call("POST", f"{BASE}/file", files={"file": unnamed})
    assert made["name"] == "a_b.txt"
    assert name not in names(served)


def test_a_folder_is_made_filled_counted_and_moved(served: ServedDeployment):
    help_, inner = folder(served, "Help"), None
    inner = folder(served, "Returns", help_)
    text = {"text": "Okapis eat leaves.", "name": "Okapis", "parent_folder_id": inner}
    added = served.call("POST", f"{BASE}/text", json=text)
    assert [each["id"] for each in added["folder_path"]] == [help_, inner]
    other = served.new_text("Gnus walk.", name="Gnus")
    served.call("POST", f"{BASE}/{other}/move", 204, json={"move_to": help_})

    found = served.call("GET", f"{BASE}/{help_}")
    assert (found["type"], found["children_count"], found["document_count"]) == ("folder", 2, 2)
    assert found["metadata"]["size_bytes"] == len("Okapis eat leaves.Gnus walk.")
    assert set(names(served, parent_folder_id=help_)) == {"Returns", "Gnus"}
    assert set(names(served, ancestor_folder_id=help_, types="text")) == {"Okapis", "Gnus"}
    assert names(served, folders_first=True, sort_by="name", sort_direction="asc")[:2] == [
        "Help",
        "Returns",
    ]
    assert names(served, folders_first=True, sort_by="name")[:2] == ["Returns", "Help"]
    read = served.call("GET", f"{BASE}/{added['id']}")
    assert read["folder_parent_id"] == inner
    ids = [added["id"], other]
    served.call("POST", f"{BASE}/bulk-move", 404, json={"document_ids": [*ids, "doc_none"]})
    served.call("POST", f"{BASE}/bulk-move", 204, json={"document_ids": ids})
    assert served.call("GET", f"{BASE}/{help_}")["document_count"] == 0
    renamed = served.call("PATCH", f"{BASE}/{help_}", json={"name": "Manuals"})
    assert renamed["name"] == "Manuals"
    served.call("PATCH", f"{BASE}/{help_}", 422, json={"content": "x"})
    summaries = served.call("GET", f"{BASE}/summaries", params={"document_ids": help_})
    assert summaries[help_]["data"]["type"] == "folder"


def test_a_folder_lies_in_no_folder_of_its_own(served: ServedDeployment):
    outer = folder(served, "Outer")
    inner = folder(served, "Inner", outer)
    for place in (outer, inner):
        refused = served.call("POST", f"{BASE}/{outer}/move", 400, json={"move_to": place})
        assert refused["detail"]["status"] == "folder_in_itself"
    served.call("POST", f"{BASE}/{outer}/move", 404, json={"move_to": "folder_none"})
    served.call("POST", f"{BASE}/text", 404, json={"text": "x", "parent_folder_id": "none"})
    served.call("GET", BASE, 404, params={"parent_folder_id": "none"})
    deepest = folder(served, "Deep")
    for _ in range(19):
        deepest = folder(served, "Deeper", deepest)
    body = {"name": "Too deep", "parent_folder_id": deepest}
    refused = served.call("POST", f"{BASE}/folder", 400, json=body)
    assert refused["detail"]["status"] == "folder_too_deep"
    served.call("POST", f"{BASE}/{outer}/move", 400, json={"move_to": deepest})


def test_a_folder_is_deleted_with_what_is_in_it_only_by_force(served: ServedDeployment):
    outer = folder(served, "Old")
    inner = folder(served, "Older", outer)
    text = {"text": "Lemurs leap.", "name": "Lemurs", "parent_folder_id": inner}
    document = served.call("POST", f"{BASE}/text", json=text)["id"]
    agent = served.agent_with(document)
    refused = served.call("DELETE", f"{BASE}/{outer}", 400)["detail"]
    assert refused["status"] == "folder_not_empty"
    assert "1 documents and 1 folders" in refused["message"]

    served.call("DELETE", f"{BASE}/{outer}", 204, params={"force": True})
    for gone in (outer, inner, document):
        served.call("GET", f"{BASE}/{gone}", 404)
    config = served.call("GET", f"/agents/{agent}")["conversation_config"]
    assert config["agent"]["prompt"]["knowledge_base"] == []
    assert served.authoring.folders.tree().placed.get(document) is None


def test_a_folder_has_no_index_and_says_so(served: ServedDeployment):
    empty = folder(served, "Leaflets")
    model = "multilingual_e5_large_instruct"
    asked = served.call("POST", f"{BASE}/{empty}/rag-index", json={"model": model})
    item = {"document_id": empty, "model": model}
    many = served.call("POST", f"{BASE}/rag-index", json={"items": [item]})
    locator = {"type": "folder", "id": empty, "name": "Leaflets"}
    prompt = {"prompt": {"knowledge_base": [locator]}}
    refused = served.call(
        "POST", "/agents/create", 422, json={"conversation_config": {"agent": prompt}}
    )

    assert asked["status"] == "cannot_index_folder"
    assert many[empty]["data"]["status"] == "cannot_index_folder"
    assert served.call("GET", f"{BASE}/{empty}/rag-index") == {"indexes": []}
    assert "folder" in refused["detail"]["message"]
