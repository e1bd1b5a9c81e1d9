"""Several server processes as one: started in order, watched, and stopped together."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from orchestration.errors import PortInUseError, RunFailedError

HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 20.0
_LOOK_AGAIN_S = 0.3


@dataclass(frozen=True, slots=True)
class Service:
    """One server process."""

    name: str
    command: Sequence[str]
    health_url: str
    """Answers with success as soon as the service can be used."""
    told: str
    """What a person is told once it answers, e.g. its address."""
    log: Path


def supervise(
    services: Sequence[Service], *, environment: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Run `services` until Ctrl-C or SIGTERM; none is left behind.

    Each is started when the one before it answers, and they are stopped in the opposite order.

    Args:
        services: What to run.
        environment: Of every process.
        say: Told what a person should know, one line at a time.

    Raises:
        RunFailedError: One ended by itself or did not answer in time; the message quotes the end
            of its log. The others are stopped.
    """
    running: list[tuple[Service, subprocess.Popen[bytes]]] = []
    with ExitStack() as stack, _stopped_by_signals():
        try:
            for service in services:
                say(f"starting {service.name} (log: {service.log})")
                process = stack.enter_context(_started(service, environment))
                running.append((service, process))
                _wait_until_ready(service, running)
                say(service.told)
            say("Ctrl-C stops everything" if len(services) > 1 else "Ctrl-C stops it")
            while True:
                _require_all_alive(running)
                time.sleep(_LOOK_AGAIN_S)
        except KeyboardInterrupt:
            say("stopping")


def choose_port(port: int | None, *, usual: int, option: str = "--port") -> int:
    """Return `port` if it is free.

    None stands for the usual port or, when that is taken, for any free one, as 0 does.

    Raises:
        PortInUseError: `port` was given and is taken.
    """
    if port:
        if not is_free(port):
            raise PortInUseError(
                f"Port {port} on {HOST} is in use. Stop what listens there, give another one "
                f"with `{option}`, or leave `{option}` out to take a free one."
            )
        return port
    if port is None and is_free(usual):
        return usual
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do, so that a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@contextmanager
def _started(
    service: Service, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    service.log.parent.mkdir(parents=True, exist_ok=True)
    with service.log.open("wb") as output:
        process = subprocess.Popen(
            list(service.command),
            env=dict(environment),
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
    # What is left of its group: children that did not hear the signal.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt.

    Also where a shell started this in the background and so had Ctrl-C ignored: the services would
    inherit that, and not hear the signal that stops them.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _wait_until_ready(
    service: Service, running: Sequence[tuple[Service, "subprocess.Popen[bytes]"]]
) -> None:
    import httpx

    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        _require_all_alive(running)
        try:
            if httpx.get(service.health_url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(_LOOK_AGAIN_S)
    raise RunFailedError(
        f"{service.name} did not answer at {service.health_url} within {START_TIMEOUT_S:.0f} s. "
        f"The end of its log {str(service.log)!r}:\n{_end_of(service.log)}"
    )


def _require_all_alive(running: Sequence[tuple[Service, "subprocess.Popen[bytes]"]]) -> None:
    for service, process in running:
        code = process.poll()
        if code is not None:
            raise RunFailedError(
                f"{service.name} ended with code {code}. The end of its log "
                f"{str(service.log)!r}:\n{_end_of(service.log)}"
            )


def _end_of(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-lines:])
