"""The server of a deployment, and the commands that start it and make its keys."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect

from conversation.errors import AgentConfigError
from conversation.server.context import ServerContext
from conversation.server.errors import NoSuchAgentError
from kb.knowledge_base import KnowledgeBase
from orchestration.cli.main import app as commands
from orchestration.deployment import Deployment
from orchestration.server.app import DeployedAgents, create_app
from orchestration.settings import Settings
from tests.orchestration.deployed import served_deployment, wait_for
from tests.orchestration.sample import sample_deployment, write_data

OPEN = "\naccess: {public: true}\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path)


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        yield opened


def test_an_agent_is_read_again_when_its_file_changes(deployment: Deployment):
    agents = DeployedAgents(deployment)
    before = agents.agent("shop-desk")
    assert agents.agent("shop-desk") is before
    path = deployment.settings.agents_dir / "shop-desk.yaml"
    path.write_text(path.read_text().replace("Shop desk", "Help desk"))

    assert agents.agent("shop-desk").name == "Help desk"
    assert [agent.name for agent in agents.agents()] == ["Help desk"]


def test_a_new_file_is_a_new_agent_and_a_removed_one_is_gone(deployment: Deployment):
    agents = DeployedAgents(deployment)
    folder = deployment.settings.agents_dir
    (folder / "new.yaml").write_text("name: New\n")
    assert agents.agent("new").name == "New"
    (folder / "new.yaml").unlink()

    with pytest.raises(NoSuchAgentError, match="'new'"):
        agents.agent("new")


@pytest.mark.parametrize("agent_id", ["", "nobody", "../agents/shop-desk.yaml", "/etc/x.yml"])
def test_no_path_is_an_agent_over_the_network(deployment: Deployment, agent_id: str):
    with pytest.raises(NoSuchAgentError) as caught:
        DeployedAgents(deployment).agent(agent_id)

    assert str(caught.value) == f"There is no agent {agent_id!r}."


def test_a_broken_file_is_an_error_of_its_own_agent(deployment: Deployment):
    agents = DeployedAgents(deployment)
    (deployment.settings.agents_dir / "broken.yaml").write_text("nane: Broken\n")

    with pytest.raises(AgentConfigError):
        agents.agent("broken")
    assert agents.agent("shop-desk").name == "Shop desk"


def test_models_and_knowledge_bases_are_opened_once(deployment: Deployment):
    agents = DeployedAgents(deployment)
    agent = agents.agent("shop-desk")

    assert agents.knowledge_base(agent) is agents.knowledge_base(agent)
    assert agents.chat_model(agent.llm) is agents.chat_model(agent.llm)


def test_the_first_session_with_an_agent_warms_its_search_up(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    warmed: list[Path] = []
    monkeypatch.setattr(KnowledgeBase, "warm_up", lambda kb: warmed.append(kb.directory))
    agents = DeployedAgents(deployment)

    for _ in range(2):
        agents.knowledge_base(agents.agent("shop-desk"))
    deployment.close()

    assert [folder.name for folder in warmed] == ["shop-desk"]


async def test_a_deployment_without_an_agents_folder_is_not_ready(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    settings.store.mkdir(parents=True)
    with Deployment(settings) as opened:
        transport = httpx.ASGITransport(create_app(opened))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
            answer = await http.get("/api/ready")

    assert answer.status_code == 503
    assert answer.json()["agents"] is False


def serve_command(port: int) -> list[str]:
    program = "from orchestration.cli.main import main; main()"
    return [sys.executable, "-c", program, "serve", "--port", str(port)]


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(settings.data_dir))
    runner = CliRunner()
    made = runner.invoke(
        commands, ["keys", "create", "--name", "first", "--scope", "read", "--scope", "converse"]
    )
    key = made.stdout.splitlines()[0]
    listed = runner.invoke(commands, ["keys", "list"]).stdout
    key_id = key.split("_")[1]
    revoked = runner.invoke(commands, ["keys", "revoke", key_id]).stdout

    assert re.fullmatch(r"vv_[0-9a-f]{12}_[0-9a-f]{48}", key)
    assert key.rpartition("_")[2] not in listed
    assert re.search(rf"{key_id}\s+first\s+converse read\s+active", listed)
    assert "opens nothing any more" in revoked
    assert "revoked" in runner.invoke(commands, ["keys", "list"]).stdout
    assert runner.invoke(commands, ["keys", "revoke", key_id]).exit_code == 2


def ready_answer(address: str) -> httpx.Response:
    """The answer once nothing is being loaded any more."""
    answers: list[httpx.Response] = []

    def is_ready() -> bool:
        answers.append(httpx.get(f"{address}/api/ready", trust_env=False, timeout=60))
        return answers[-1].is_success

    wait_for(is_ready)
    return answers[-1]


@pytest.mark.slow
def test_serving_tells_its_address_and_stops_on_a_signal(settings: Settings):
    path = settings.agents_dir / "shop-desk.yaml"
    path.write_text("name: Shop desk\nllm: {model: embedded/extractive}" + OPEN)
    with subprocess.Popen(
        serve_command(0),
        env={"VIVAVOCE_DATA_DIR": str(settings.data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[2]
            ready = ready_answer(address)
            page = httpx.get(address, trust_env=False, timeout=60)
            socket_url = f"{address.replace('http', 'ws')}/v1/convai/conversation"
            with connect(f"{socket_url}?agent_id=shop-desk", proxy=None) as client:
                client.send('{"type": "conversation_initiation_client_data"}')
                first = client.recv(timeout=60)
            process.send_signal(signal.SIGTERM)
            out, log = process.communicate(timeout=60)
        finally:
            process.kill()

    assert ready.json()["status"] == "ready"
    assert "Shop desk" in page.text
    assert "conversation_initiation_metadata" in str(first)
    assert out == "Stopped.\n"
    assert "ended: " in log
    assert "agent_id=" not in log


@pytest.mark.slow
def test_a_taken_port_is_one_message_and_not_a_traceback(settings: Settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            serve_command(port),
            env={"VIVAVOCE_DATA_DIR": str(settings.data_dir)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith(f"vivavoce: Nothing can listen on 127.0.0.1:{port}")
    assert "Traceback" not in done.stderr


def test_a_server_is_ready_when_its_first_conversation_need_not_wait(tmp_path: Path):
    go_on = threading.Event()

    def slow(context: ServerContext) -> None:
        warm_up = context.agents.warm_up  # pyright: ignore[reportAttributeAccessIssue]

        def loading() -> None:
            go_on.wait(60)
            warm_up()

        context.agents.warm_up = loading  # pyright: ignore[reportAttributeAccessIssue]

    with served_deployment(tmp_path, prepare=slow) as served:
        early = served.http.get("/api/ready")
        go_on.set()
        wait_for(lambda: served.http.get("/api/ready").status_code == 200)
        late = served.http.get("/api/ready").json()

    assert early.status_code == 503
    assert (early.json()["warming"], early.json()["agents"]) == (True, True)
    assert (late["status"], late["warming"]) == ("ready", False)
