"""Servers for tests start whatever happens to the port that was free a moment ago."""

import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests import servers


def command(port: int) -> list[str | Path]:
    program = "import socket, sys, time\n"
    program += "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(600)\n"
    return [sys.executable, "-c", program, str(port)]


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def test_a_port_that_was_taken_meanwhile_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken, free = other.getsockname()[1], servers.free_port()
        ports = iter([taken, free])
        monkeypatch.setattr(servers, "free_port", lambda: next(ports))

        with servers.started(
            command, lambda p: p == free and listens(p), cwd=tmp_path, log=tmp_path / "log"
        ) as port:
            assert port == free

    assert "Address already in use" in (tmp_path / "log").read_text()
    assert not listens(free)


def test_a_server_that_cannot_start_says_why(tmp_path: Path):
    def broken(port: int) -> list[str | Path]:
        return [sys.executable, "-c", "raise SystemExit('no such folder')"]

    with (
        pytest.raises(RuntimeError, match="no such folder"),
        servers.started(broken, listens, cwd=tmp_path, log=tmp_path / "log"),
    ):
        pytest.fail("it cannot have started")


@pytest.mark.slow
def test_postgresql_starts_though_pytest_closes_its_folder(tmp_path: Path):
    (tmp_path / "closed").mkdir(mode=0o700)

    with servers.postgresql_server(tmp_path / "closed") as address:
        assert address.startswith("tester@127.0.0.1:")


def test_no_outgoing_connection_is_given_a_port_of_a_test():
    assert all(servers.free_port() < 32_768 for _ in range(20))
