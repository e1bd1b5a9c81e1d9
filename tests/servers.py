"""Real servers for tests: started on free ports of 127.0.0.1, stopped by themselves."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_PORTS = range(10_000, 32_768)
"""Below those that Linux gives to outgoing connections: one of these would take a free port."""
_ATTEMPTS = 5
_STARTS_WITHIN_S = 240.0


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    # Not the shared generator: tests that run at the same time may have seeded it alike.
    chosen = random.SystemRandom()
    while True:
        port = chosen.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def started(
    command: Callable[[int], list[str | Path]],
    is_ready: Callable[[int], bool],
    *,
    cwd: Path,
    log: Path,
    user: str | None = None,
) -> Iterator[int]:
    """Start a server on a free port and yield the port once it is ready.

    Somebody may have taken the port meanwhile: a server that ends at once gets another one.
    """
    for _ in range(_ATTEMPTS):
        port = free_port()
        with log.open("a") as out:
            server = subprocess.Popen(command(port), user=user, cwd=cwd, stdout=out, stderr=out)
        try:
            until_s = time.monotonic() + _STARTS_WITHIN_S
            # Who answers before the server has failed may be another one: so is looked at last.
            while not (ready := is_ready(port) and server.poll() is None):
                if server.poll() is not None or time.monotonic() > until_s:
                    break
                time.sleep(0.1)
            if ready:
                yield port
                return
        finally:
            # Both servers end at once on it; PostgreSQL would wait for clients on SIGTERM.
            server.send_signal(signal.SIGINT)
            server.wait(60)
    raise RuntimeError(f"{command(0)[0]} does not start: {log.read_text()[-2_000:]}")


@contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """A new PostgreSQL server that logs in `folder`; yields `USER@HOST:PORT/DATABASE`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server is installed (`apt-get install postgresql`)")
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    # Not below pytest's own folder: each run of pytest that starts closes that to other users.
    with tempfile.TemporaryDirectory(prefix="viva-postgresql-") as place:
        if user is not None:
            shutil.chown(place, user)
        yield from _postgresql(programs[-1], Path(place), user, log=folder / "postgresql.log")


def _postgresql(programs: Path, place: Path, user: str | None, *, log: Path) -> Iterator[str]:
    data = place / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(initdb, user=user, cwd=place, capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr}")

    def command(port: int) -> list[str | Path]:
        listening = ["-p", str(port), "-k", place, "-h", "127.0.0.1"]
        return [programs / "postgres", "-D", data, *listening]

    def is_ready(port: int) -> bool:
        asking = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "5"]
        return subprocess.run(asking, capture_output=True).returncode == 0

    with started(command, is_ready, cwd=place, log=log, user=user) as port:
        yield f"tester@127.0.0.1:{port}/postgres"


class RestartablePostgresql:
    """A PostgreSQL server that a test takes away and brings back; its data stay."""

    def __init__(self, programs: Path, place: Path, user: str | None) -> None:
        self._programs, self._place, self._user = programs, place, user
        self._server: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.address = f"tester@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it on its port, and wait until it answers."""
        command: list[str | Path] = [self._programs / "postgres", "-D", self._place / "data"]
        command += ["-p", str(self.port), "-k", self._place, "-h", "127.0.0.1"]
        with (self._place / "log").open("a") as out:
            self._server = subprocess.Popen(
                command, user=self._user, cwd=self._place, stdout=out, stderr=out
            )
        asking = [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)]
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while subprocess.run(asking, capture_output=True).returncode:
            if self._server.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError("PostgreSQL does not start")
            time.sleep(0.1)

    def stop(self) -> None:
        """Take it away at once: no client is told, nothing is tidied (its "immediate" mode)."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(60)
            self._server = None


@contextmanager
def restartable_postgresql() -> Iterator[RestartablePostgresql]:
    """A new server, started."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("no PostgreSQL server is installed (`apt-get install postgresql`)")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="viva-postgresql-") as folder:
        place = Path(folder)
        if user is not None:
            shutil.chown(place, user)
        command = [programs[-1] / "initdb", "-D", place / "data", "-U", "tester", "-A", "trust"]
        subprocess.run([*command, "-E", "UTF8"], user=user, cwd=place, check=True)
        server = RestartablePostgresql(programs[-1], place, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """A Redis server that keeps nothing on disk; yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis server is installed (`apt-get install redis-server`)")
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with started(
        lambda port: [program, "--port", str(port), *options],
        _answers,
        cwd=folder,
        log=folder / "redis.log",
    ) as port:
        yield f"redis://127.0.0.1:{port}/0"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
