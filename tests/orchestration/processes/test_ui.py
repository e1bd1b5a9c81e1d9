import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from orchestration.errors import PortInUseError, RunFailedError
from orchestration.processes.supervisor import Service, choose_port, supervise
from orchestration.processes.ui import address_for_services
from orchestration.settings import Settings
from tests.conftest import REPOSITORY
from tests.orchestration.server.test_app import ready_answer
from tests.servers import free_port


def test_a_port_that_is_taken_is_refused_when_it_was_asked_for():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=f"Port {taken} on 127.0.0.1 is in use"):
            choose_port(taken, usual=3000)


@pytest.mark.parametrize("wanted", [None, 0])
def test_without_a_port_a_free_one_is_taken(wanted: int | None):
    port = choose_port(wanted, usual=3000)

    assert port > 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_dagster_is_told_where_the_server_of_the_ui_is(tmp_path: Path):
    unset = Settings(data_dir=tmp_path)
    named = Settings(data_dir=tmp_path, api_url="https://voice.example.com")

    assert address_for_services(unset, 8081) == {"VIVAVOCE_API_URL": "http://127.0.0.1:8081"}
    assert address_for_services(named, 8081) == {"VIVAVOCE_API_URL": "https://voice.example.com"}


def _service(tmp_path: Path, name: str, code: str) -> Service:
    port = free_port()
    return Service(
        name=name,
        command=[sys.executable, "-c", code, str(port), str(tmp_path)],
        health_url=f"http://127.0.0.1:{port}/",
        told=f"{name} is ready",
        log=tmp_path / f"{name}.log",
    )


SERVE = """
import http.server, sys
http.server.test(
    http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1"
)
"""


def test_services_start_in_order_and_stop_together(tmp_path: Path):
    told: list[str] = []
    services = [_service(tmp_path, "first", SERVE), _service(tmp_path, "second", SERVE)]
    end = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM))

    def say(line: str) -> None:
        told.append(line)
        if line == "Ctrl-C stops everything":
            end.start()

    supervise(services, environment=dict(os.environ), say=say)

    assert [line.partition(" (log")[0] for line in told] == [
        "starting first",
        "first is ready",
        "starting second",
        "second is ready",
        "Ctrl-C stops everything",
        "stopping",
    ]
    for service in services:
        with pytest.raises(httpx.TransportError):
            httpx.get(service.health_url, trust_env=False)


def test_services_stop_at_once_though_they_were_started_in_the_background(tmp_path: Path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    told: list[str] = []
    service = _service(tmp_path, "polite", SERVE)
    try:
        supervise(
            [service],
            environment=dict(os.environ),
            say=lambda line: (
                threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
                if line == "Ctrl-C stops it"
                else told.append(line)
            ),
        )
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "as it was before"
    finally:
        signal.signal(signal.SIGINT, before)

    assert told[-1] == "stopping"
    assert "Keyboard interrupt received" in service.log.read_text()


def test_one_that_ends_stops_the_others_and_its_log_is_shown(tmp_path: Path):
    broken = _service(tmp_path, "broken", "raise SystemExit('the disk is full')")
    first = _service(tmp_path, "first", SERVE)

    with pytest.raises(RunFailedError, match=r"(?s)broken ended with code 1.*the disk is full"):
        supervise([first, broken], environment=dict(os.environ), say=lambda _: None)

    with pytest.raises(httpx.TransportError):
        httpx.get(first.health_url, trust_env=False)


@pytest.mark.slow
def test_the_ui_answers_and_stops_with_all_its_processes(tmp_path: Path):
    port, api_port, chroma_port = free_port(), free_port(), free_port()
    vivavoce = Path(sys.executable).with_name("vivavoce")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "VIVAVOCE_STORE_DIR": str(tmp_path / "store"),
        "VIVAVOCE_CHROMA_URL": f"http://127.0.0.1:{chroma_port}",
    }
    process = subprocess.Popen(
        [vivavoce, "ui", "--port", str(port), "--api-port", str(api_port)],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        # Who may judge is said first.
        told: list[str] = []
        while not (told and told[-1].startswith("Ctrl-C stops")):
            told.append(process.stdout.readline())
            assert told[-1], told
        assert any(line.startswith(f"API server: http://127.0.0.1:{api_port}") for line in told)
        assert any(line.startswith(f"Chroma: http://127.0.0.1:{chroma_port}") for line in told)
        assert any(line.startswith(f"Dagster UI: http://127.0.0.1:{port}") for line in told)
        query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
        reply = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": query}, trust_env=False, timeout=60
        )
        assert len(reply.json()["data"]["repositoriesOrError"]["nodes"]) == 1
        assert ready_answer(f"http://127.0.0.1:{api_port}").is_success
        assert "enabled: false" in (tmp_path / "store" / "dagster" / "dagster.yaml").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(100)
        assert process.returncode == 0
        assert process.stdout.read() == "stopping\n"
        assert not _left_behind(str(tmp_path))
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _left_behind(mark: str) -> list[str]:
    """Processes whose environment names this test's folder, and that do not end."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to see which processes are left")
    until_s = time.monotonic() + 60
    while (found := _running(mark)) and time.monotonic() < until_s:
        time.sleep(0.2)
    return found


def _running(mark: str) -> list[str]:
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().decode(errors="replace")
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"DAGSTER_HOME={mark}" in environment and command:
            found.append(command.replace("\0", " "))
    return found
