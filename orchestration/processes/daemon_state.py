"""Whether Dagster's daemon runs, without which no sensor and no schedule does."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

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
    written = settings.dagster_instance_dir / "dagster.yaml"
    if not written.is_file():
        return None
    beats = None if settings.dagster_storage_url else _beats_in_files(written)
    if beats is None or (beats and max(beats) - min(beats) > SEEN_WITHIN):
        return _told_by_dagster(settings)
    return min(beats, default=None)


def _beats_in_files(written: Path) -> list[datetime] | None:
    """When each part of the daemon was seen last; None where only Dagster can say it.

    Dagster takes two seconds to load, which nobody should wait for who asks what is wrong. Which
    parts are needed is its knowledge: it is asked where they were not seen at the same time.
    """
    try:
        if {"storage", "run_storage"} & set(yaml.safe_load(written.read_text("utf-8")) or ()):
            return None
        records = (written.parent / "history" / "runs.db").resolve()
        with closing(sqlite3.connect(f"{records.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT timestamp FROM daemon_heartbeats").fetchall()
        return [datetime.fromisoformat(seen).replace(tzinfo=UTC) for (seen,) in found]
    except (OSError, ValueError, TypeError, yaml.YAMLError, sqlite3.Error):
        return None


def _told_by_dagster(settings: Settings) -> datetime | None:
    import dagster as dg
    from sqlalchemy.exc import SQLAlchemyError

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
