"""Worker processes: each takes steps of runs from the broker, one at a time."""

import subprocess
import sys

from orchestration.dagster_instance import prepare_instance
from orchestration.errors import SettingsError
from orchestration.settings import Settings, child_environment


def serve_steps(settings: Settings, *, name: str, processes: int = 1) -> int:
    """Run a Celery worker until it is stopped; returns its exit code.

    Args:
        settings: Which broker, stores and Dagster instance.
        name: Tells the workers of one machine apart.
        processes: Steps worked on at the same time; each loads its own models.

    Raises:
        SettingsError: No broker is set, or Dagster's records are where other machines cannot
            read them.
    """
    if settings.celery_broker_url is None:
        raise SettingsError(
            "VIVAVOCE_CELERY_BROKER_URL is not set, so a worker has nothing to take steps from. "
            "Set it to the Redis that the Dagster daemon uses, e.g. redis://redis.internal:6379/0."
        )
    prepare_instance(settings)
    command = [sys.executable, "-m", "celery", "--app", "orchestration.celery_app", "worker"]
    command += ["--queues", "dagster", "--concurrency", str(processes), "--loglevel", "INFO"]
    command += ["--hostname", f"{name}@%h"]
    return subprocess.run(command, env=child_environment(settings), check=False).returncode
