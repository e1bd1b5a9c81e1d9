"""Where the steps of a run execute: in its own process, or on Celery workers."""

import dagster as dg

from orchestration.errors import SettingsError
from orchestration.settings import Settings


def executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of every job.

    In process by default, so that a run loads its models once. With a broker, each step goes to
    whichever worker is free, and the run's own process only waits.

    Raises:
        SettingsError: A broker is set and the packages for it are not installed.
    """
    if settings.celery_broker_url is None:
        return dg.in_process_executor
    try:
        from dagster_celery import celery_executor
    except ImportError as error:
        raise SettingsError(
            "VIVAVOCE_CELERY_BROKER_URL is set, but dagster-celery is not installed. Install "
            "`vivavoce[scale]`, or unset it to run on this machine alone."
        ) from error
    return celery_executor.configured(
        {"broker": settings.celery_broker_url, "backend": settings.celery_broker_url}
    )
