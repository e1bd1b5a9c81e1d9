"""One part of a deployment over several machines, as the process that a container runs.

The command becomes the vendor's program, so that a signal to stop reaches that and nobody between.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

from orchestration.errors import SettingsError
from orchestration.processes.dagster_instance import prepare_instance, workspace_file
from orchestration.processes.ui import GUARDED
from orchestration.settings import Settings, child_environment


def serve_steps(settings: Settings, *, name: str, processes: int = 1) -> NoReturn:
    """Become a Celery worker.

    Args:
        settings: Which broker, stores and Dagster instance.
        name: Tells the workers of one machine apart.
        processes: Steps worked on at the same time; each loads its own models.

    Raises:
        SettingsError: No broker is set.
    """
    broker_url(settings)
    arguments = ["--app", "orchestration.processes.celery_app", "worker", "--queues", "dagster"]
    arguments += ["--concurrency", str(processes), "--loglevel", "INFO", "--hostname", f"{name}@%h"]
    _become("celery", arguments, settings)


def broker_url(settings: Settings) -> str:
    """Where workers take steps from.

    Raises:
        SettingsError: It is not set.
    """
    if settings.celery_broker_url is None:
        raise SettingsError(
            "VIVAVOCE_CELERY_BROKER_URL is not set, so a worker has nothing to take steps from. "
            "Set it to the Redis that the Dagster daemon uses, e.g. redis://redis.internal:6379/0."
        )
    return settings.celery_broker_url


def serve_dagster(
    settings: Settings, part: Literal["webserver", "daemon"], *, host: str, port: int
) -> NoReturn:
    """Become Dagster's webserver or its daemon, on the instance that the settings name."""
    prepare_instance(settings)
    location = ["-w", str(workspace_file(settings))]
    if part == "webserver":
        arguments = [*location, "--host", host, "--port", str(port)]
        sys.stdout.flush()
        command = [sys.executable, "-P", "-m", GUARDED, "webserver", *arguments]
        os.execve(sys.executable, command, child_environment(settings))  # noqa: S606
    _become("dagster-daemon", ["run", *location], settings)


def _become(program: str, arguments: Sequence[str], settings: Settings) -> NoReturn:
    prepare_instance(settings)
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        raise SettingsError(
            f"{program!r} is not installed beside {sys.executable!r}. Install `vivavoce[scale]`."
        )
    sys.stdout.flush()
    os.execve(path, [program, *arguments], child_environment(settings))  # noqa: S606
