"""Real servers for tests: started on free ports of 127.0.0.1, stopped by themselves."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """A new PostgreSQL server in `folder`; yields `USER@HOST:PORT/DATABASE`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server is installed (`apt-get install postgresql`)")
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
        for parent in folder.parents:
            if parent.stat().st_mode & 0o005 != 0o005:
                parent.chmod(0o755)
    port = free_port()
    data = folder / "data"
    initdb = [programs[-1] / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(initdb, user=user, cwd=folder, capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr}")
    server = subprocess.Popen(
        [programs[-1] / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = [programs[-1] / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
        _wait(lambda: subprocess.run(ready, capture_output=True).returncode == 0, "PostgreSQL")
        yield f"tester@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis server that keeps nothing on disk; yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis server is installed (`apt-get install redis-server`)")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(
        [program, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait(lambda: _answers(port), "Redis")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _wait(is_ready: Callable[[], bool], name: str) -> None:
    for _ in range(600):
        if is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"the {name} server did not start")
