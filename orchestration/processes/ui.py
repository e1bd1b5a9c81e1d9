"""Everything that a person needs on one machine: Dagster, the API server and, if set, Chroma."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from orchestration.processes.dagster_instance import workspace_file
from orchestration.processes.supervisor import HOST, Service, choose_port, is_free, supervise
from orchestration.settings import PREFIX, Settings, child_environment

GUARDED = "orchestration.processes.guarded_dagster"
USUAL_PORT = 3000
USUAL_API_PORT = 8080
API_URL = f"{PREFIX}API_URL"
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


def serve_ui(
    settings: Settings,
    *,
    port: int | None,
    api_port: int | None,
    say: Callable[[str], None],
    judging: Mapping[str, str] | None = None,
) -> None:
    """Run the Dagster UI with its daemon, and the API server, until Ctrl-C or SIGTERM.

    A Chroma server that VIVAVOCE_CHROMA_URL names on this machine is started too, unless one
    listens there already.

    Args:
        settings: Where the instance and the stores are.
        port: Port of the Dagster UI; None takes the usual one, or any free one when it is taken.
        api_port: Port of the API server; None as above.
        say: Told what a person should know, one line at a time.
        judging: Variables that say what judges may be asked without anybody asking for it.

    Raises:
        PortInUseError: A port was given and something else listens there.
        RunFailedError: A service ended by itself; the message quotes the end of its log.
    """
    from orchestration.processes.dagster_opening import open_instance

    # Services that start together would create its tables at the same time.
    open_instance(settings).dispose()
    home = settings.dagster_instance_dir.resolve()
    dagster_port = choose_port(port, usual=USUAL_PORT)
    served_port = choose_port(api_port, usual=USUAL_API_PORT, option="--api-port")
    services = [
        *_chroma(settings),
        _dagster(dagster_port, home, workspace_file(settings)),
        _api(served_port, home),
    ]
    environment = {
        **child_environment(settings),
        **address_for_services(settings, served_port),
        **(judging or {}),
    }
    supervise(services, environment=environment, say=say)


def address_for_services(settings: Settings, port: int) -> dict[str, str]:
    """The variable by which Dagster knows where people reach the API server on `port`."""
    is_set = "api_url" in settings.model_fields_set
    return {API_URL: settings.api_url if is_set else f"http://{HOST}:{port}"}


def _dagster(port: int, home: Path, workspace: Path) -> Service:
    address = f"http://{HOST}:{port}"
    command = [sys.executable, "-P", "-m", GUARDED, "dev", "-w", str(workspace)]
    return Service(
        name="Dagster",
        command=[*command, "--host", HOST, "--port", str(port)],
        health_url=f"{address}/server_info",
        told=f"Dagster UI: {address}   asset graph: {address}/asset-groups",
        log=home / "ui.log",
    )


def _api(port: int, home: Path) -> Service:
    address = f"http://{HOST}:{port}"
    command = [_program("vivavoce"), "serve"]
    return Service(
        name="the API server",
        command=[*command, "--host", HOST, "--port", str(port)],
        health_url=f"{address}/api/health",
        told=f"API server: {address}   talk to an agent: {address}/talk/AGENT",
        log=home / "api.log",
    )


def _chroma(settings: Settings) -> list[Service]:
    """The Chroma server, when it is to be on this machine and does not run yet."""
    if settings.chroma_url is None:
        return []
    parts = urlsplit(settings.chroma_url)
    port = parts.port or 8000
    if parts.hostname not in _LOCAL_HOSTS or not is_free(port):
        return []
    folder = settings.store.resolve() / "chroma"
    return [
        Service(
            name="Chroma",
            command=[
                _program("chroma"),
                "run",
                "--host",
                HOST,
                "--port",
                str(port),
                "--path",
                str(folder),
            ],
            health_url=f"http://{HOST}:{port}/api/v2/heartbeat",
            told=f"Chroma: {settings.chroma_url}   vectors: {folder}",
            log=settings.dagster_instance_dir.resolve() / "chroma.log",
        )
    ]


def _program(name: str) -> str:
    """A command that was installed beside the interpreter."""
    return str(Path(sys.executable).with_name(name))
