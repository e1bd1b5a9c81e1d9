"""Two servers and a worker on machines of their own, with S3 and PostgreSQL in common."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from conversation.server.serving import make_server
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.server.app import create_app
from orchestration.settings import Settings
from tests.conftest import REPOSITORY
from tests.orchestration.sample import sample_deployment, write_data
from tests.servers import postgresql_server

AGENT = "shop-desk"
WORKER = """
import sys
from pathlib import Path
from orchestration.knowledge.ingesting import ingest
from orchestration.settings import Settings
from tests.orchestration.sample import sample_deployment

folder, store_url, kb_url = sys.argv[1:]
settings = Settings(data_dir=Path(folder), store_url=store_url, kb_url=kb_url)
with sample_deployment(settings) as deployment:
    ingest(deployment, "shop-desk")
    print(deployment.knowledge_base("shop-desk").shared.snapshot_id)
"""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that speaks S3; yields the address of an empty bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": "tester",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }.items():
        monkeypatch.setenv(name, value)
    import fsspec

    # It keeps what it opened, whatever the address was then.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    fsspec.filesystem("s3").makedirs("knowledge", exist_ok=True)
    yield "s3://knowledge/of-tests"
    server.stop()


@contextmanager
def served(deployment: Deployment) -> Iterator[str]:
    app = create_app(deployment)
    server = make_server(app, app.state.context, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.should_exit = True
        thread.join()


def eventually(is_so: Any) -> None:
    deadline_s = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def found(deployment: Deployment) -> str:
    passages = deployment.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=1)
    return passages[0].text if passages else ""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_servers_answer_from_what_a_worker_ingested(s3: str, tmp_path: Path):
    with ExitStack() as stack:
        address = stack.enter_context(postgresql_server(tmp_path))
        store_url = f"postgresql+psycopg://{address}"
        servers: list[Deployment] = []
        for name in ("one", "two"):
            write_data(tmp_path / name)
            settings = Settings(data_dir=tmp_path / name, store_url=store_url, kb_url=s3)
            deployment = stack.enter_context(sample_deployment(settings))
            url = stack.enter_context(served(deployment))
            assert httpx.get(f"{url}/health", trust_env=False).status_code < 500
            servers.append(deployment)
            assert found(deployment) == ""
        write_data(tmp_path / "worker")

        def work() -> str:
            command = [sys.executable, "-c", WORKER, str(tmp_path / "worker"), store_url, s3]
            return subprocess.run(
                command, cwd=REPOSITORY, check=True, capture_output=True, text=True
            ).stdout.split()[-1]

        first = work()
        for server in servers:
            eventually(lambda server=server: "five days" in found(server))
            assert server.knowledge_base(AGENT).shared.snapshot_id == first
        document = tmp_path / "worker" / "documents" / "refunds.md"
        document.write_text("# Refunds\n\nRefunds take nine days.\n")
        work()
        for server in servers:
            eventually(lambda server=server: "nine days" in found(server))
        servers[0].knowledge_base(AGENT).shared.go_back_to(first[:12])
        for server in servers:
            eventually(lambda server=server: "five days" in found(server))
        # A server that ingests goes on from what is live, wherever that was made.
        (tmp_path / "two" / "documents" / "refunds.md").write_text("# Refunds\n\nIn one week.\n")
        ingest(servers[1], AGENT)
        eventually(lambda: "one week" in found(servers[0]))
