"""Opening the Dagster instance, which is created when absent."""

import dagster as dg
from filelock import FileLock

from orchestration.processes.dagster_instance import prepare_instance
from orchestration.settings import Settings, export_for_dagster

_TIMEOUT_S = 60.0


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open the instance; the caller closes it.

    Dagster creates its tables when an instance is first opened, and fails where two processes do
    so at once. So one after the other does.

    Raises:
        SettingsError: As `prepare_instance` does.
    """
    export_for_dagster(settings)
    settings.dagster_instance_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.dagster_instance_dir / ".opening.lock", timeout=_TIMEOUT_S):
        return dg.DagsterInstance.from_config(prepare_instance(settings))
