"""The Dagster instance of this deployment: a folder with `dagster.yaml`. Knows no Dagster code."""

from pathlib import Path

import yaml

from orchestration.errors import SettingsError
from orchestration.settings import PREFIX, Settings

CODE_LOCATION = "vivavoce"
"""Name of our definitions in Dagster's pages."""
STORAGE_VARIABLE = f"{PREFIX}DAGSTER_STORAGE_URL"

_ON_ONE_MACHINE = """\
concurrency:
  runs:
    # Each run loads its own models, so one at a time is fastest on one machine.
    max_concurrent_runs: 1
  pools:
    # Steps that ask a language model share the pool `llm`: whatever starts them, so many at once.
    granularity: op
    default_limit: 1
"""
_OVER_WORKERS = """\
concurrency:
  runs:
    # Workers do the work and a run only waits for them; a limit here would leave workers idle.
    max_concurrent_runs: 10
  pools:
    # Each worker judges one day at a time, so that the number of workers is the limit. What a
    # provider allows is VIVAVOCE_LLM_LIMITS.
    granularity: op
"""
_DAGSTER_YAML = """\
# Written by Viva Voce when it was absent; yours to change.
telemetry:
  enabled: false
nux:
  # The invitation to a newsletter on the first visit.
  enabled: false
{concurrency}run_monitoring:
  enabled: true
  # The place in a pool of a run whose process was killed.
  free_slots_after_run_end_seconds: 30
run_retries:
  # A run whose process was killed goes on where it stopped. Steps that failed have their own
  # attempts, for failures that may pass.
  enabled: true
  max_retries: 2
  retry_on_asset_or_op_failure: false
"""

DAGSTER_YAML = _DAGSTER_YAML.replace("{concurrency}", _ON_ONE_MACHINE)
"""What one machine gets."""

POSTGRESQL_STORAGE = f"""\
storage:
  postgres:
    postgres_url:
      # Read from the environment, so that no password stands in this file.
      env: {STORAGE_VARIABLE}
"""


def prepare_instance(settings: Settings) -> str:
    """Create the instance's folder and, unless there is one, its `dagster.yaml`.

    Returns:
        The folder, absolute, as Dagster wants it.

    Raises:
        SettingsError: PostgreSQL is set as storage, and the `dagster.yaml` that is there names
            another one: runs would be written where nobody looks for them.
    """
    folder = settings.dagster_instance_dir.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    wanted = instance_yaml(settings)
    if not configuration.exists():
        configuration.write_text(wanted, encoding="utf-8")
        return str(folder)
    found = configuration.read_text(encoding="utf-8")
    if found != wanted and found in _written_with_less(settings):
        configuration.write_text(wanted, encoding="utf-8")
    elif settings.dagster_storage_url is not None and STORAGE_VARIABLE not in found:
        raise SettingsError(
            f"{STORAGE_VARIABLE} is set, but {str(configuration)!r} was changed by hand and "
            f"does not read it. Add this to that file:\n\n{POSTGRESQL_STORAGE}"
        )
    return str(folder)


def workspace_file(settings: Settings) -> Path:
    """Write which code Dagster's servers load, under its name, and return the file's path.

    The working directory is one that holds no Python files: Dagster looks there first.
    """
    folder = settings.dagster_instance_dir.resolve()
    place = folder / "workspace.yaml"
    entry = {
        "module_name": "orchestration.definitions",
        "location_name": CODE_LOCATION,
        "working_directory": str(folder),
    }
    place.write_text(yaml.safe_dump({"load_from": [{"python_module": entry}]}), encoding="utf-8")
    return place


def instance_yaml(settings: Settings) -> str:
    """What a new `dagster.yaml` says."""
    return _yaml(
        stored=settings.dagster_storage_url is not None,
        over_workers=settings.celery_broker_url is not None,
    )


def _yaml(*, stored: bool, over_workers: bool) -> str:
    limits = _OVER_WORKERS if over_workers else _ON_ONE_MACHINE
    text = _DAGSTER_YAML.replace("{concurrency}", limits)
    return text + POSTGRESQL_STORAGE if stored else text


def _written_with_less(settings: Settings) -> set[str]:
    """What was written when fewer of these settings were set, and nobody changed since."""
    stored = {False, settings.dagster_storage_url is not None}
    workers = {False, settings.celery_broker_url is not None}
    return {_yaml(stored=a, over_workers=b) for a in stored for b in workers}
