"""Agents over the network are the files that people write."""

from pathlib import Path

from conversation.agent_file import load_agent
from tests.orchestration.api import served_deployment


def test_an_agent_is_made_read_changed_and_deleted(tmp_path: Path):
    with served_deployment(tmp_path) as served:
        agent_id = served.agent_with(tags=["test"])
        path = served.settings.agents_dir / f"{agent_id}.yaml"
        made = load_agent(path)
        read = served.call("GET", f"/agents/{agent_id}")
        body = {
            "name": "Help desk",
            "conversation_config": {"agent": {"prompt": {"prompt": "Be brief.", "temperature": 1}}},
        }
        changed = served.call("PATCH", f"/agents/{agent_id}", json=body)
        after = load_agent(path)
        served.call("DELETE", f"/agents/{agent_id}", 204)
        gone = served.call("GET", f"/agents/{agent_id}", 404)

    assert (made.name, made.first_message, made.access.public) == ("Desk", "Hello!", True)
    assert read["conversation_config"]["agent"]["prompt"]["llm"] == "scripted/model"
    assert read["tags"] == ["test"]
    assert (after.name, after.system_prompt, after.llm.temperature) == ("Help desk", "Be brief.", 1)
    assert after.first_message == "Hello!"
    assert changed["name"] == "Help desk"
    assert changed["version_id"] != read["version_id"]
    assert gone["detail"]["status"] == "agent_not_found"
    assert not path.exists()
