import time
from pathlib import Path

import pytest

from orchestration.agents import find_agent, knowledge_base_config
from orchestration.deployment import Deployment
from orchestration.operations.masking import usable_agents
from orchestration.settings import Settings
from tests.orchestration.sample import write_data


def test_an_agent_chooses_its_embedding_model(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    agent_file = settings.agents_dir / "shop-desk.yaml"
    section = "knowledge_base:\n"
    agent_file.write_text(
        agent_file.read_text().replace(
            section, f"{section}  embedding: {{model: multilingual-e5-small}}\n"
        )
    )

    config = knowledge_base_config(find_agent("shop-desk", settings).agent, settings)

    assert config.embedding.model == "multilingual-e5-small"


def test_the_languages_of_an_agent_are_those_of_its_questions(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    agent_file = settings.agents_dir / "shop-desk.yaml"
    agent_file.write_text(agent_file.read_text() + "\nlanguages: {de: {first_message: Hallo.}}\n")

    config = knowledge_base_config(find_agent("shop-desk", settings).agent, settings)

    assert config.query_languages == ("en", "de")


def test_vectors_on_a_server_lie_in_collections_of_each_agent(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    agent = find_agent("shop-desk", settings).agent
    served = settings.model_copy(update={"chroma_url": "http://chroma.internal:8000"})

    assert knowledge_base_config(agent, served).index.collection_prefix == "shop-desk"
    assert knowledge_base_config(agent, Settings(data_dir=tmp_path)).index.chroma_url is None


@pytest.mark.parametrize("count", [4, 16])
def test_agent_files_are_read_once_however_many_there_are_and_however_often_they_are_asked_for(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "agents"
    folder.mkdir()
    for number in range(count):
        (folder / f"agent-{number}.yaml").write_text(f"name: Agent {number}\n", "utf-8")
    (folder / "broken.yaml").write_text("nonsense: 1\n", "utf-8")
    settings = Settings(data_dir=tmp_path)
    time.sleep(0.1)
    read: list[Path] = []
    really = Path.read_text

    def counted(path: Path, *given: str) -> str:
        read.append(path)
        return really(path, *given)

    monkeypatch.setattr(Path, "read_text", counted)
    with Deployment(settings) as deployment:
        for _ in range(3):
            assert len(usable_agents(deployment)) == count
            assert deployment.agent("agent-1").agent.name == "Agent 1"
        assert sorted(read) == sorted(folder.iterdir())

        read.clear()
        (folder / "agent-1.yaml").write_text("name: Another\n", "utf-8")
        assert deployment.agent("agent-1").agent.name == "Another"
        (folder / "agent-1.yaml").write_text("name: Once mor\n", "utf-8")
        assert deployment.agent("agent-1").agent.name == "Once mor", "of the same length at once"
        assert set(read) == {folder / "agent-1.yaml"}
