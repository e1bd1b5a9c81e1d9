"""Whether Dagster's daemon runs, without which no sensor and no schedule does."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from orchestration.errors import SettingsError
from orchestration.processes.dagster_instance import STORAGE_VARIABLE
from orchestration.settings import Settings

SEEN_WITHIN = timedelta(minutes=5)
"""A daemon gives a sign of life every 30 seconds; one that starts or is busy takes longer."""


def last_sign_of_life(settings: Settings) -> datetime | None:
    """When the part of the daemon that is least alive was seen last; None when none ever was.

    Raises:
        SettingsError: Dagster's records cannot be read.
    """
    if not (settings.dagster_instance_dir / "dagster.yaml").is_file():
        return None
    import dagster as dg

    from orchestration.processes.dagster_opening import open_instance

    try:
        with open_instance(settings) as instance:
            beats = instance.get_daemon_heartbeats()
            needed = instance.get_required_daemon_types()
    except (SQLAlchemyError, dg.DagsterError) as error:
        raise SettingsError(
            f"Dagster's records cannot be read ({type(error).__name__}). Check {STORAGE_VARIABLE} "
            f"and {settings.dagster_instance_dir.resolve()}/dagster.yaml."
        ) from None  # whose message may hold the password
    seen = [beats[kind].timestamp for kind in needed if kind in beats]
    return datetime.fromtimestamp(min(seen), UTC) if seen else None
