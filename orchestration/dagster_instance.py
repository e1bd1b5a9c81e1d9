"""The Dagster instance of this deployment: a folder with `dagster.yaml`. Knows no Dagster code."""

from orchestration.errors import SettingsError
from orchestration.settings import PREFIX, Settings

STORAGE_VARIABLE = f"{PREFIX}DAGSTER_STORAGE_URL"

DAGSTER_YAML = """\
# Written by Viva Voce when it was absent; yours to change.
telemetry:
  enabled: false
nux:
  # The invitation to a newsletter on the first visit.
  enabled: false
concurrency:
  runs:
    # Each run loads its own models, so one at a time is fastest on one machine.
    max_concurrent_runs: 1
  pools:
    # Steps that ask a language model share the pool `llm`: whatever starts them, so many at once.
    granularity: op
    default_limit: 1
run_monitoring:
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
    elif settings.dagster_storage_url is not None:
        found = configuration.read_text(encoding="utf-8")
        if found == DAGSTER_YAML:
            configuration.write_text(wanted, encoding="utf-8")
        elif STORAGE_VARIABLE not in found:
            raise SettingsError(
                f"{STORAGE_VARIABLE} is set, but {str(configuration)!r} was changed by hand and "
                f"does not read it. Add this to that file:\n\n{POSTGRESQL_STORAGE}"
            )
    return str(folder)


def instance_yaml(settings: Settings) -> str:
    """What a new `dagster.yaml` says."""
    stored = "" if settings.dagster_storage_url is None else POSTGRESQL_STORAGE
    return DAGSTER_YAML + stored
