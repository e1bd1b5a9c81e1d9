"""The Dagster instance of this deployment: a folder with `dagster.yaml`. Knows no Dagster code."""

from pathlib import Path

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
run_monitoring:
  enabled: true
"""


def prepare_instance(folder: Path) -> Path:
    """Create the instance's folder and, unless there is one, its `dagster.yaml`."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML, encoding="utf-8")
    return folder
