import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from orchestration.errors import PortInUseError
from orchestration.ui import choose_port


def test_a_port_that_is_taken_is_refused_when_it_was_asked_for():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        with pytest.raises(PortInUseError, match=f"Port {taken} on 127.0.0.1 is in use"):
            choose_port(taken)


def test_without_a_port_a_free_one_is_taken():
    port = choose_port(None)

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


@pytest.mark.slow
def test_the_ui_answers_and_stops_with_all_its_processes(tmp_path: Path):
    port = choose_port(None)
    vivavoce = Path(sys.executable).with_name("vivavoce")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "VIVAVOCE_STORE_DIR": str(tmp_path / "store"),
    }
    process = subprocess.Popen(
        [vivavoce, "ui", "--port", str(port)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(3)]
        assert told[1].startswith(f"Dagster UI: http://127.0.0.1:{port}"), told
        query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
        reply = httpx.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": query}, trust_env=False
        )
        assert len(reply.json()["data"]["repositoriesOrError"]["nodes"]) == 1
        assert "enabled: false" in (tmp_path / "store" / "dagster" / "dagster.yaml").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        assert process.returncode == 0
        assert process.stdout.read() == "stopping\n"
        assert not _left_behind(str(tmp_path))
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _left_behind(mark: str) -> list[str]:
    """Processes whose environment names this test's folder, after a moment to end."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc to see which processes are left")
    time.sleep(1)
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
