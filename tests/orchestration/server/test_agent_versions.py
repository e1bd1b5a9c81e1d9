"""Versions of agents over REST: what makes one, and the way back."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.agent_file import load_agent
from tests.orchestration.deployed import ServedDeployment, served_deployment
from tests.servers import postgresql_server


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedDeployment]:
    folder: Path = tmp_path_factory.mktemp("versions")
    with ExitStack() as stack:
        store_url = None
        if request.param == "postgresql":
            logs: Path = tmp_path_factory.mktemp("postgresql")
            address = stack.enter_context(postgresql_server(logs))
            store_url = f"postgresql+psycopg://{address}"
        yield stack.enter_context(served_deployment(folder, store_url=store_url))


def prompted(prompt: str, **parts: Any) -> dict[str, Any]:
    return {"conversation_config": {"agent": {"prompt": {"prompt": prompt}}}} | parts


def prompt_of(answer: dict[str, Any]) -> str:
    return answer["conversation_config"]["agent"]["prompt"]["prompt"]


def listed(served: ServedDeployment, agent: str) -> list[dict[str, Any]]:
    return served.call("GET", f"/agents/{agent}/versions")["versions"]


def test_each_change_that_is_live_is_a_version_and_nothing_else(served: ServedDeployment):
    agent = served.agent_with()
    first = served.call("GET", f"/agents/{agent}")["version_id"]
    second = served.call(
        "PATCH", f"/agents/{agent}", json=prompted("Two.", version_description="Shorter.")
    )["version_id"]
    # Neither what changes nothing, nor tags, nor what has no effect.
    for body in (
        prompted("Two."),
        {"tags": ["a"]},
        {"platform_settings": {"widget": {"variant": "tiny"}}},
    ):
        served.call("PATCH", f"/agents/{agent}", json=body)
    last, before = listed(served, agent)

    assert (last["id"], before["id"]) == (second, first)
    assert (last["seq_no_in_branch"], last["version_description"]) == (2, "Shorter.")
    assert last["parents"]["in_branch_parent_id"] == first
    assert (last["is_live"], before["is_live"]) == (True, False)
    assert last["made_by"].startswith("key ")
    assert served.call("GET", f"/agents/{agent}/versions/{first}") == before
    served.call("GET", f"/agents/{agent}/versions/none", 404)


def test_an_agent_is_read_as_it_was_and_goes_back(served: ServedDeployment):
    agent = served.agent_with()
    widget = {"platform_settings": {"widget": {"variant": "tiny"}}}
    served.call("PATCH", f"/agents/{agent}", json=prompted("One.", **widget))
    first = served.call("GET", f"/agents/{agent}")["version_id"]
    other = {"platform_settings": {"widget": {"variant": "full"}}, "tags": ["kept"]}
    served.call("PATCH", f"/agents/{agent}", json=prompted("Two.", **other))
    was = served.call("GET", f"/agents/{agent}", params={"version_id": first})
    assert (prompt_of(was), was["version_id"]) == ("One.", first)
    assert was["platform_settings"]["widget"]["variant"] == "tiny"
    found = served.call("GET", f"/agents/{agent}/versions/{first}/diff")["changes"]
    assert found == [{"path": "system_prompt", "before": "One.", "after": "Two."}]

    path = f"/agents/{agent}/versions/{first}/restore"
    served.call("POST", path, 412, headers={"If-Match": first})
    back = served.call("POST", path)
    assert (prompt_of(back), back["version_id"], back["tags"]) == ("One.", first, ["kept"])
    assert back["platform_settings"]["widget"]["variant"] == "tiny"
    assert load_agent(served.settings.agents_dir / f"{agent}.yaml").system_prompt == "One."
    assert listed(served, agent)[0]["version_description"] == f"Back to version {first}."
    served.call("POST", f"/agents/{agent}/versions/none/restore", 404)
    served.call("POST", path, 422, json={"unknown": 1})


def test_a_version_is_not_restored_onto_documents_that_are_gone(served: ServedDeployment):
    document = served.new_text("Okapis eat leaves.", name="Okapis")
    agent = served.agent_with(document)
    first = served.call("GET", f"/agents/{agent}")["version_id"]
    served.call("DELETE", f"/knowledge-base/{document}", 204, params={"force": True})
    served.call("PATCH", f"/agents/{agent}", json=prompted("Two."))

    path = f"/agents/{agent}/versions/{first}/restore"
    refused = served.call("POST", path, 400)["detail"]
    assert refused["status"] == "documents_missing"
    assert "Okapis" in refused["message"]
    back = served.call("POST", path, json={"keep_documents": True})
    assert prompt_of(back) != "Two."
    assert back["conversation_config"]["agent"]["prompt"]["knowledge_base"] == []


def test_a_file_that_a_person_changes_is_a_version_and_conversations_name_it(
    served: ServedDeployment,
):
    path = served.settings.agents_dir / "shop-desk.yaml"
    before = served.call("GET", "/agents/shop-desk")["version_id"]
    path.write_text(path.read_text() + "\nnot_known_message: Somebody will call you.\n")
    held = served.context.agents.agent("shop-desk").version
    last, *_, first = listed(served, "shop-desk")

    assert (first["id"], last["made_by"]) == (before, "file")
    assert last["id"] == held == load_agent(path).version


def test_there_is_one_branch(served: ServedDeployment):
    agent = served.agent_with()
    found = served.call("GET", f"/agents/{agent}")
    (branch,) = served.call("GET", f"/agents/{agent}/branches")["results"]
    whole = served.call("GET", f"/agents/{agent}/branches/{branch['id']}")
    assert found["branch_id"] == found["main_branch_id"] == branch["id"]
    assert [each["id"] for each in whole["most_recent_versions"]] == [found["version_id"]]
    served.call("PATCH", f"/agents/{agent}", json={}, params={"branch_id": branch["id"]})
    for path in (f"/agents/{agent}?branch_id=other", f"/agents/{agent}/branches/other"):
        assert served.call("GET", path, 404)["detail"]["status"] == "branch_not_found"
    served.call("POST", f"/agents/{agent}/branches", 400, json={"name": "other"})
    off = {"enable_versioning_if_not_enabled": False}
    served.call("PATCH", f"/agents/{agent}", 422, json={}, params=off)


def test_a_deleted_agent_has_no_versions(served: ServedDeployment):
    agent = served.agent_with()
    served.call("DELETE", f"/agents/{agent}", 204)
    served.call("GET", f"/agents/{agent}/versions", 404)
    assert served.authoring.records.versions.history(agent) == []
