"""Folders of documents, as the SDKs make, fill and delete them."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from conversation.server.agents.folders.begun_moves import BegunMoves
from conversation.server.agents.folders.following import FolderFollowing
from conversation.server.records import RecordStore
from conversation.store.ownership import this_process
from tests.orchestration.deployed import ServedDeployment, served_deployment, wait_for

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
        ("POST", "/agents/create", {"tags": [name], "conversation_config": {}}),
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

    assert asked["status"] == "cannot_index_folder"
    assert many[empty]["data"]["status"] == "cannot_index_folder"
    assert served.call("GET", f"{BASE}/{empty}/rag-index") == {"indexes": []}


def locator(folder_id: str) -> dict[str, Any]:
    return {"type": "folder", "id": folder_id, "name": "F", "usage_mode": "auto"}


def agent_in(served: ServedDeployment, *locators: dict[str, Any]) -> str:
    prompt = {"llm": "scripted/model", "knowledge_base": list(locators)}
    config = {"agent": {"first_message": "Hello!", "prompt": prompt}}
    return served.call("POST", "/agents/create", json={"conversation_config": config})["agent_id"]


def answers_from(served: ServedDeployment, agent: str) -> set[str]:
    """What the agent's file names."""
    record = served.authoring.records.get(agent)
    return {each.name for each in served.authoring.documents_of(record)}


def shown_of(served: ServedDeployment, agent: str) -> list[tuple[str, str]]:
    prompt = served.call("GET", f"/agents/{agent}")["conversation_config"]["agent"]["prompt"]
    return [(each["type"], each["id"]) for each in prompt["knowledge_base"]]


def put(served: ServedDeployment, name: str, to: str | None) -> str:
    body = {"text": f"{name} sleep.", "name": name} | ({"parent_folder_id": to} if to else {})
    return served.call("POST", f"{BASE}/text", json=body)["id"]


def test_an_agent_answers_from_what_lies_in_its_folder(served: ServedDeployment):
    outer = folder(served, "Animals")
    inner = folder(served, "Small", outer)
    mice, alone = put(served, "Mice", inner), put(served, "Moles", None)
    sent = [{"type": "text", "id": alone, "name": "Moles"}, locator(outer)]
    agent = agent_in(served, *sent)
    made = answers_from(served, agent)
    # Handed in, moved in, moved out, a folder moved in: each is followed.
    hens = put(served, "Hens", outer)
    handed_in = answers_from(served, agent)
    served.call("POST", f"{BASE}/{mice}/move", 204, json={"move_to": None})
    moved_out = answers_from(served, agent)
    other = folder(served, "Birds")
    put(served, "Owls", other)
    served.call("POST", f"{BASE}/{other}/move", 204, json={"move_to": inner})
    moved_in = answers_from(served, agent)
    served.call("POST", f"{BASE}/{alone}/move", 204, json={"move_to": outer})
    served.call("POST", f"{BASE}/{alone}/move", 204, json={"move_to": None})

    assert made == {"Mice", "Moles"}
    assert handed_in == {"Hens", "Mice", "Moles"}
    assert moved_out == {"Hens", "Moles"}
    assert moved_in == {"Hens", "Moles", "Owls"}
    assert answers_from(served, agent) == moved_in  # named by itself as well
    assert shown_of(served, agent) == [("text", alone), ("folder", outer)]
    dependent = served.call("GET", f"{BASE}/{hens}/dependent-agents")["agents"]
    assert [each["id"] for each in dependent] == [agent]


def test_what_was_read_of_an_agent_with_a_folder_changes_nothing(served: ServedDeployment):
    outer = folder(served, "Plants")
    put(served, "Mosses", outer)
    agent = agent_in(served, locator(outer))
    read = served.call("GET", f"/agents/{agent}")
    body = {name: read[name] for name in ("conversation_config", "platform_settings")}
    changed = served.call("PATCH", f"/agents/{agent}", json=body)
    prompt = {"prompt": {"knowledge_base": []}}
    none = {"conversation_config": {"agent": prompt}}
    without = served.call("PATCH", f"/agents/{agent}", json=none)
    put(served, "Ferns", outer)

    assert changed["version_id"] == read["version_id"]
    assert changed["without_effect"] == []
    assert without["version_id"] != read["version_id"]
    assert answers_from(served, agent) == set()
    assert shown_of(served, agent) == []


def test_a_folder_that_would_be_too_much_for_an_agent_takes_no_more(served: ServedDeployment):
    outer = folder(served, "Full")
    for number in range(5):
        put(served, f"Page {number}", outer)
    agent = agent_in(served, locator(outer))
    count = len(served.authoring.library.documents())
    body = {"text": "One more.", "name": "Page 5", "parent_folder_id": outer}
    refused = served.call("POST", f"{BASE}/text", 400, json=body)["detail"]
    lonely = put(served, "Lonely", None)
    moved = served.call("POST", f"{BASE}/{lonely}/move", 400, json={"move_to": outer})["detail"]

    assert (refused["status"], moved["status"]) == ("document_limit_exceeded",) * 2
    assert agent in refused["message"]
    assert len(served.authoring.library.documents()) == count + 1
    assert served.authoring.folders.tree().parent_of(lonely) is None
    assert len(answers_from(served, agent)) == 5


def test_a_folder_that_agents_name_is_deleted_only_by_force(served: ServedDeployment):
    outer = folder(served, "Asked of")
    agent = agent_in(served, locator(outer))
    refused = served.call("DELETE", f"{BASE}/{outer}", 400)["detail"]
    put(served, "Newts", outer)
    served.call("DELETE", f"{BASE}/{outer}", 204, params={"force": True})

    assert refused["status"] == "folder_in_use"
    assert agent in refused["message"]
    assert answers_from(served, agent) == set()
    assert shown_of(served, agent) == []
    missing = {"agent": {"prompt": {"knowledge_base": [locator("folder_none")]}}}
    served.call("POST", "/agents/create", 422, json={"conversation_config": missing})


class Killed(BaseException):
    """Ends a request as the end of its server does: nothing is caught, nothing is tidied."""


def break_off(served: ServedDeployment, where: str, move: Callable[[FolderFollowing], None]) -> str:
    """Move, by a server that is killed there; the id of its note."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    following = served.authoring.following
    records = RecordStore(served.context.store.engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, where, killed)
        with pytest.raises(Killed):
            move(following)
    (note,) = records.all("moving")
    dead = this_process().replace(f"/{os.getpid()}/", "/999999999/")
    records.put("moving", note.record_id, {**note.body, "owner": dead}, now=note.updated_at)
    return note.record_id


@pytest.mark.parametrize(
    ("where", "again"),
    [
        ("_answer_from", "start"),
        pytest.param("_changes", "start", marks=pytest.mark.slow),
        pytest.param("_request_sync", "start", marks=pytest.mark.slow),
        pytest.param("_changes", "next move", marks=pytest.mark.slow),
        pytest.param("_answer_from", "next move", marks=pytest.mark.slow),
        pytest.param("_request_sync", "next move", marks=pytest.mark.slow),
    ],
)
def test_agents_follow_what_a_killed_server_moved(served: ServedDeployment, where: str, again: str):
    outer, aside = folder(served, "Out"), folder(served, "Aside")
    stays, goes, comes = (
        put(served, "Stay", outer),
        put(served, "Go", outer),
        put(served, "C", None),
    )
    agent = agent_in(served, locator(outer))
    records = RecordStore(served.context.store.engine)

    def move_in(following: FolderFollowing) -> None:
        following.place(comes, outer, by="somebody")

    def move_out(following: FolderFollowing) -> None:
        following.place(goes, aside, by="somebody")

    for move, expected in ((move_in, {"Stay", "Go", "C"}), (move_out, {"Stay", "C"})):
        before = answers_from(served, agent)
        break_off(served, where, move)
        followed = where == "_request_sync"
        assert answers_from(served, agent) == (expected if followed else before)
        if again == "start":
            served.authoring.following.finish_left()
        else:
            other = folder(served, "Other")
            served.call("POST", f"{BASE}/{stays}/move", 204, json={"move_to": other})
            served.call("POST", f"{BASE}/{stays}/move", 204, json={"move_to": outer})
        assert answers_from(served, agent) == expected
        assert records.all("moving") == []
        wait_for(lambda: served.authoring.queue.sync_states()[agent].status == "succeeded")


def test_a_move_that_was_broken_off_and_is_too_much_is_taken_back(served: ServedDeployment):
    outer = folder(served, "Nearly full")
    for number in range(4):
        put(served, f"Sheet {number}", outer)
    agent = agent_in(served, locator(outer))
    more = [put(served, f"More {number}", None) for number in range(2)]

    def move(following: FolderFollowing) -> None:
        with following.moving(more, outer, by="somebody"):
            for each in more:
                served.authoring.folders.move(each, outer, now=served.context.clock())

    break_off(served, "_changes", move)
    served.authoring.following.finish_left()

    tree = served.authoring.folders.tree()
    assert [tree.parent_of(each) for each in more] == [None, None]
    assert answers_from(served, agent) == {f"Sheet {number}" for number in range(4)}
    assert RecordStore(served.context.store.engine).all("moving") == []


def test_a_move_that_another_server_is_at_is_left_to_it(served: ServedDeployment):
    records = RecordStore(served.context.store.engine)
    now = served.context.clock()
    begun = BegunMoves(records)
    tree = served.authoring.folders.tree()
    dead = this_process().replace(f"/{os.getpid()}/", "/999999999/")
    for owner, is_left in (("elsewhere/1/x", False), (this_process(), False), (dead, True)):
        with begun.noted(tree, ["doc"], None, by="somebody", now=now):
            (note,) = records.all("moving")
            records.put("moving", note.record_id, {**note.body, "owner": owner}, now=now)
            assert (begun.left(now=now) != []) is is_left
            late = begun.left(now=now + timedelta(minutes=2))
            assert (late != []) is (owner != this_process())
        assert records.all("moving") == []
