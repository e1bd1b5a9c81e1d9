"""The Dagster UI on this deployment's instance: webserver and daemon under one supervisor."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from orchestration.dagster_instance import prepare_instance
from orchestration.errors import PortInUseError, RunFailedError
from orchestration.settings import Settings, child_environment

HOST = "127.0.0.1"
USUAL_PORT = 3000
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0


def serve_ui(settings: Settings, *, port: int | None, say: Callable[[str], None]) -> None:
    """Run the Dagster UI and its daemon until Ctrl-C or SIGTERM.

    Args:
        settings: Where the instance is.
        port: Port to listen on; None takes the usual one, or any free one when that is taken.
        say: Told what a person should know, one line at a time.

    Raises:
        PortInUseError: `port` was given and something else listens there.
        RunFailedError: Dagster ended by itself; the message quotes the end of its log.
    """
    home = Path(prepare_instance(settings))
    port = choose_port(port)
    log = home / "ui.log"
    address = f"http://{HOST}:{port}"
    say(f"starting Dagster (log: {log})")
    with _dagster(settings, port, log) as process, _terminate_as_interrupt():
        try:
            _wait_until_ready(process, port, log)
            say(f"Dagster UI: {address}   asset graph: {address}/asset-groups")
            say("Ctrl-C stops it")
            process.wait()
            raise RunFailedError(_ended_message(process, log))
        except KeyboardInterrupt:
            say("stopping")


def choose_port(port: int | None) -> int:
    """Return `port` if it is free, else the usual port or, when that is taken, any free one.

    Raises:
        PortInUseError: `port` was given and is taken.
    """
    if port is not None:
        if not _is_free(port):
            raise PortInUseError(
                f"Port {port} on {HOST} is in use. Stop what listens there, give another one "
                "with `--port`, or leave `--port` out to take a free one."
            )
        return port
    if _is_free(USUAL_PORT):
        return USUAL_PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@contextmanager
def _dagster(settings: Settings, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions"]
    command += ["--host", HOST, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=child_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process only, which then stops the others in order.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    # What is left of its group: code servers and run workers that did not hear the signal.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    import httpx

    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise RunFailedError(_ended_message(process, log))
        try:
            if httpx.get(f"http://{HOST}:{port}/server_info", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise RunFailedError(
        f"Dagster did not answer on port {port} within {START_TIMEOUT_S:.0f} s. "
        f"The end of its log {str(log)!r}:\n{_end_of(log)}"
    )


def _ended_message(process: "subprocess.Popen[bytes]", log: Path) -> str:
    return (
        f"Dagster ended with code {process.poll()}. The end of its log {str(log)!r}:\n"
        f"{_end_of(log)}"
    )


def _end_of(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-lines:])
