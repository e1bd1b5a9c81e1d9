from pathlib import Path

from orchestration.doctor import Finding, examine
from orchestration.settings import Settings
from tests.orchestration.sample import sample_deployment, write_data
from tests.servers import free_port


def findings(settings: Settings) -> dict[str, Finding]:
    with sample_deployment(settings) as deployment:
        return {finding.part: finding for finding in examine(deployment)}


def test_a_new_deployment_is_told_what_to_do_next(tmp_path: Path):
    found = findings(write_data(tmp_path / "data"))

    assert found["store folder"].state == "ok"
    assert found["agent files"].told == "1 can be used: shop-desk"
    assert found["documents of shop-desk"].remedy == "Run `vivavoce ingest shop-desk`."
    assert found["reports"].state == "warning"
    assert "failed" not in {finding.state for finding in found.values()}


def test_a_broken_agent_file_does_not_hide_the_others(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    (settings.agents_dir / "odd.yaml").write_text("agent_id: odd\nname: Odd\nlm: x\n")

    found = findings(settings)

    assert found["agent file odd.yaml"].state == "failed"
    assert "lm" in found["agent file odd.yaml"].told
    assert found["agent files"].told == "1 can be used: shop-desk"


def test_servers_that_do_not_answer_are_named_with_their_setting(tmp_path: Path):
    port = free_port()
    settings = write_data(tmp_path / "data").model_copy(
        update={
            "chroma_url": f"http://127.0.0.1:{port}",
            "celery_broker_url": f"redis://:secret@127.0.0.1:{port}/0",
        }
    )

    found = findings(settings)

    assert found["vectors"].state == "failed"
    assert "VIVAVOCE_CHROMA_URL" in found["vectors"].remedy
    assert f"redis at 127.0.0.1:{port}" in found["dagster"].told
    assert "secret" not in found["dagster"].told
    assert found["store"].state == "ok"
