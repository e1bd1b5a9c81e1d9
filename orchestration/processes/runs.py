"""Dagster runs started from here: in this process, recorded in the deployment's instance."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.processes.dagster_opening import open_instance
from orchestration.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The instance keeps the log of a run; the terminal belongs to the command."""

_OF_A_COMMAND = {"vivavoce/started_by": "command", "dagster/max_retries": "0"}
"""Who stopped the command does not expect the daemon to start its run again."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A run that succeeded."""

    run_id: str
    failed_checks: tuple[str, ...]
    """What each check says that did not pass, e.g. `documents_are_ready: 1 of 5 failed`."""


@contextmanager
def opened_instance(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    """The deployment's Dagster instance, created when absent."""
    settings = deployment.settings
    with open_instance(settings) as instance:
        if runs_are_local(settings):
            fail_abandoned_runs(instance)
        yield instance


def run_job(
    job_name: str,
    deployment: Deployment,
    *,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    partition: str | None = None,
    partition_range: tuple[str, str] | None = None,
) -> RunOutcome:
    """Run a job to its end with the parts of `deployment`.

    Args:
        job_name: A job of `definitions`.
        deployment: Given to the assets as their resource, so that models stay loaded.
        definitions: The code location.
        instance: Where the run and what it made are recorded.
        partition: Key of the one partition to run.
        partition_range: First and last key, both included, to run in one go.

    Raises:
        RunFailedError: A step failed; the message says which and why.
        KeyboardInterrupt: Ctrl-C; Dagster turns it into a failed run, so it is raised again.
    """
    tags: Mapping[str, str] = _OF_A_COMMAND
    if partition_range is not None:
        first, last = partition_range
        tags = {
            **tags,
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
    result = definitions.resolve_job_def(job_name).execute_in_process(
        instance=instance,
        resources={"deployment": deployment},
        partition_key=partition,
        tags=tags,
        run_config=QUIET,
        raise_on_error=False,
    )
    if not result.success:
        if _was_interrupted(result):
            raise KeyboardInterrupt
        # Dagster's sensors see only runs that the daemon or the UI started.
        log_causes(instance, result.dagster_run, result.all_events)
        raise RunFailedError(_failure(job_name, result))
    return RunOutcome(result.run_id, tuple(_failed_checks(result)))


def runs_are_local(settings: Settings) -> bool:
    """Whether every run of the instance has its process on this machine.

    On a shared PostgreSQL it may be anywhere, and only Dagster's own run monitoring can tell.
    """
    return settings.dagster_storage_url is None


def fail_abandoned_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process was killed; else they would hold the queue for ever.

    Returns:
        Ids of the runs that were marked.
    """
    in_progress = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    )
    abandoned = [
        run
        for run in instance.get_runs(in_progress)
        if (pid := _pid_of(instance, run.run_id)) is not None and not _is_alive(pid)
    ]
    for run in abandoned:
        instance.report_run_failed(run, "The process of this run ended without finishing it.")
    free_left_places(instance)
    return [run.run_id for run in abandoned]


def free_left_places(instance: dg.DagsterInstance) -> None:
    """Free what ended runs still hold of a pool; else the next run would wait for it for ever.

    Dagster notices by itself that the process of a run is gone, and leaves its places taken.
    """
    storage = instance.event_log_storage
    holders = {
        claimed.run_id
        for pool in storage.get_concurrency_keys()
        for claimed in storage.get_concurrency_info(pool).claimed_slots
    }
    for run_id in holders:
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            storage.free_concurrency_slots_for_run(run_id)


def failed_steps(events: Iterable[dg.DagsterEvent]) -> dict[str, str]:
    """Return why each step failed that did, by the key of the step, in the order of `events`."""
    causes: dict[str, str] = {}
    for event in events:
        if not event.is_step_failure:
            continue
        error = event.step_failure_data.error
        # Dagster wraps what the asset raised; the innermost cause is what happened.
        while error is not None and error.cause is not None:
            error = error.cause
        reason = error.message.strip() if error is not None else "no reason was recorded"
        causes[event.step_key or ""] = reason
    return causes


def log_causes(
    instance: dg.DagsterInstance, run: dg.DagsterRun, events: Iterable[dg.DagsterEvent]
) -> None:
    """Write why each step failed as the last lines of the log of its run."""
    for step_key, reason in failed_steps(events).items():
        instance.report_engine_event(f"Step {step_key!r} failed. The cause: {reason}", run)


def _pid_of(instance: dg.DagsterInstance, run_id: str) -> int | None:
    """Process that executes the run's steps, as the in-process executor noted it."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        event = entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event is not None else None
        if pid is not None:
            return int(str(pid.value))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _failed_checks(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            yield (
                f"{check.check_name}: {check.description}"
                if check.description
                else (check.check_name)
            )


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    name = dg.DagsterExecutionInterruptedError.__name__
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.RUN_CANCELED:
            return True
        if event.is_step_failure and name in str(event.step_failure_data.error):
            return True
        if event.is_job_failure and name in str(event.job_failure_data.error):
            return True
    return False


def _failure(job_name: str, result: dg.ExecuteInProcessResult) -> str:
    for step_key, reason in failed_steps(result.all_events).items():
        # The cause stands last, where a terminal and a log are looked at first.
        return (
            f"Job {job_name!r} failed in its step {step_key!r}; run {result.run_id} in the "
            f"Dagster UI (`vivavoce ui`) has the whole log. The cause: {reason}"
        )
    return f"Job {job_name!r} failed; run {result.run_id} in the Dagster UI says why."
