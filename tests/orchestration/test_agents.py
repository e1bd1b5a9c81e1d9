from pathlib import Path

from orchestration.agents import find_agent, knowledge_base_config
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


def test_vectors_on_a_server_lie_in_collections_of_each_agent(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    agent = find_agent("shop-desk", settings).agent
    served = settings.model_copy(update={"chroma_url": "http://chroma.internal:8000"})

    assert knowledge_base_config(agent, served).index.collection_prefix == "shop-desk"
    assert knowledge_base_config(agent, Settings(data_dir=tmp_path)).index.chroma_url is None
