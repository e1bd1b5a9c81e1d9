"""When things run by themselves: jobs, schedules, sensors, and what follows what is above it.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from analysis.store.closed_days import agents_talked_to
from orchestration.agents import agent_ids
from orchestration.defs.conversations import call_metrics, ended_conversations
from orchestration.defs.done_elsewhere import tell_what_was_done
from orchestration.defs.evaluations import SUMMARIES, VALUES, VERDICTS, report_tables
from orchestration.defs.improving import knowledge_gaps, report_page, topics
from orchestration.defs.knowledge_base import CHUNK_INDEX, DOCUMENTS, prompt_state
from orchestration.defs.partitions import FIRST_DAY, agents, days
from orchestration.defs.questions import report_changed_questions
from orchestration.defs.reports import reports
from orchestration.deployment import Deployment
from orchestration.operations.operations import close_abandoned
from orchestration.processes.runs import fail_abandoned_runs, log_causes, runs_are_local
from orchestration.schedule.ended_days import (
    Looked,
    days_that_came,
    days_to_judge,
    days_with_other_questions,
    look,
    still_ahead,
)
from orchestration.schedule.left_over import days_left_over
from orchestration.schedule.question_versions import versions_by_day
from orchestration.schedule.watching import agents_with_links, look_at_sources

NOT_ALLOWED = (
    "nobody has allowed judges to be asked by themselves: start `vivavoce ui --judge`, or set "
    "VIVAVOCE_MAX_JUDGE_USD_PER_DAY. `vivavoce evaluate` asks them now."
)

ingest_agent = dg.define_asset_job(
    "ingest_agent",
    selection=dg.AssetSelection.assets(
        DOCUMENTS.key, CHUNK_INDEX.key, prompt_state, knowledge_gaps
    ),
    description=(
        "Read the sources of one agent, bring its index up to date, have an embedded model read "
        "them ahead, and ask the index again what users asked in vain."
    ),
)

ingest_documents = dg.define_asset_job(
    "ingest_documents",
    selection=dg.AssetSelection.assets(DOCUMENTS.key, CHUNK_INDEX.key, knowledge_gaps),
    description=(
        "The same, but for reading ahead, which takes an embedded model minutes: it searches until "
        "then."
    ),
)

evaluate_days = dg.define_asset_job(
    "evaluate_days",
    selection=dg.AssetSelection.assets(
        ended_conversations, call_metrics, VERDICTS.key, VALUES.key, SUMMARIES.key, report_tables
    ),
    description="Judge what has not been judged of some days, and write their report rows.",
)

publish_reports = dg.define_asset_job(
    "publish_reports",
    selection=dg.AssetSelection.assets(reports, report_page),
    description="Put a new `reports.duckdb` in place, and the page made from it.",
)

improve_agent = dg.define_asset_job(
    "improve_agent",
    selection=dg.AssetSelection.assets(topics, knowledge_gaps),
    description="Find the topics of one agent's conversations, and the gaps of its documents.",
)

what_follows = dg.AutomationConditionSensorDefinition(
    name="what_follows",
    target=dg.AssetSelection.assets(knowledge_gaps, report_page),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description=(
        "Materializes what follows something that was materialized by hand: `report_page` after "
        "`reports`, `knowledge_gaps` after `chunk_index`. Jobs and schedules do both in one run."
    ),
)

hourly_reports = dg.ScheduleDefinition(
    name="hourly_reports",
    job=publish_reports,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Publishes the reports at the start of every hour.",
)


@dg.sensor(
    job=evaluate_days,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Judges conversations soon after they ended, also those that a crash ended or that were "
        "imported late: each gets a run of the day on which it ended. Runs whose process was "
        "killed are marked as failed."
    ),
)
def conversations_ended(
    context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> dg.SensorResult:
    """Ask for one run for each day that has a newly ended conversation with something to judge.

    Today comes first in the queue, so that an imported month does not keep it waiting.
    """
    now = datetime.now(UTC)
    close_abandoned(deployment, now)
    if runs_are_local(deployment.settings):
        fail_abandoned_runs(context.instance)
    before = Looked.parse(context.cursor)
    closed, looked = look(deployment, before, now=now)
    asked_otherwise = days_with_other_questions(closed, before, looked)
    report_changed_questions(context.instance, versions_by_day(deployment, asked_otherwise))
    tell_what_was_done(context.instance, deployment)
    today = now.date()
    found = {
        **days_that_came(deployment, before, today=today),
        **days_to_judge(deployment, closed),
    }
    ahead = still_ahead(before, found, today=today)
    if not deployment.settings.judge_unattended:
        # The cursor stays: what ends meanwhile is found as soon as somebody allows it.
        return dg.SensorResult(skip_reason=NOT_ALLOWED)
    runs = [
        dg.RunRequest(
            partition_key=str(day),
            # Stays while the day's run is at work; another conversation of the day changes it.
            run_key=f"{day} {state}",
            tags={"dagster/priority": "1" if day == now.date() else "0"},
        )
        for day, state in found.items()
        if days.has_partition_key(str(day))
    ]
    if newly := sorted({day.isoformat() for day in found if day > today}):
        context.log.warning(
            f"Conversations of {len(newly)} days end in the future ({', '.join(newly[:5])}): the "
            "clock of what wrote them is wrong. They are judged when their day has come, or now by "
            "`vivavoce evaluate`."
        )
    if early := [day for day in found if day < FIRST_DAY]:
        context.log.warning(
            f"Conversations of {len(early)} days ended before "
            f"{FIRST_DAY}, the first day with a partition. `vivavoce evaluate` judges them; once "
            "the code location is loaded again, partitions begin with them."
        )
    return dg.SensorResult(
        run_requests=runs,
        skip_reason=None if runs else "nothing ended that has something left to judge",
        cursor=replace(looked, waiting=ahead).cursor,
    )


@dg.schedule(
    job=evaluate_days,
    cron_schedule="30 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Asks again for days of the last three with conversations that no run got through: the "
        "judge was down, or the budget of the day was used up. Changed questions do not count."
    ),
)
def hourly_left_overs(
    context: dg.ScheduleEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for one run for each such day."""
    if not deployment.settings.judge_unattended:
        return dg.SkipReason(NOT_ALLOWED)
    hour = context.scheduled_execution_time
    runs = [
        dg.RunRequest(partition_key=str(day), run_key=f"{day} left over {hour.isoformat()}")
        for day in days_left_over(deployment, now=hour.astimezone(UTC))
        if days.has_partition_key(str(day))
    ]
    return runs or dg.SkipReason("nothing was left over")


@dg.schedule(
    job=ingest_agent,
    cron_schedule="15 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Looks at the links and sites of every agent once a day. Pages that did not change are "
        "neither parsed nor embedded again. Agents that were never ingested are left alone."
    ),
)
def daily_links(
    context: dg.ScheduleEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for one run for each agent that reads links."""
    known = context.instance.get_dynamic_partitions("agents")
    found = [agent_id for agent_id in agents_with_links(deployment) if agent_id in known]
    day = context.scheduled_execution_time.date()
    runs = [dg.RunRequest(partition_key=key, run_key=f"{key} links {day}") for key in found]
    return runs or dg.SkipReason("no agent with links was ingested yet")


@dg.schedule(
    job=improve_agent,
    cron_schedule="45 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Finds topics and gaps of every agent that has conversations, once a day.",
)
def daily_findings(
    context: dg.ScheduleEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> list[dg.RunRequest] | dg.SkipReason:
    """Ask for one run for each agent that anybody talked to."""
    known = context.instance.get_dynamic_partitions("agents")
    talked = agents_talked_to(deployment.conversations.engine)
    day = context.scheduled_execution_time.date()
    runs = [
        dg.RunRequest(partition_key=key, run_key=f"{key} findings {day}")
        for key in known
        if key in talked
    ]
    return runs or dg.SkipReason("nobody has talked to an agent yet")


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Gives every agent file a partition, and ingests an agent whose documents changed on "
        "disk: a file was edited, added to a folder or deleted, or its agent file names other "
        "sources. What is there when it first looks is taken as known."
    ),
    job=ingest_agent,
)
def agent_files(
    context: dg.SensorEvaluationContext, deployment: dg.ResourceParam[Deployment]
) -> dg.SensorResult:
    """Add a partition for each new agent, and ask for a run for each whose sources changed."""
    known = context.instance.get_dynamic_partitions("agents")
    added = [found for found in agent_ids(deployment.settings) if found not in known]
    watched = look_at_sources(deployment, json.loads(context.cursor) if context.cursor else None)
    # Without a run key: files that are put back as they were are a change once more.
    runs = [dg.RunRequest(partition_key=key) for key in watched.changed]
    return dg.SensorResult(
        dynamic_partitions_requests=[agents.build_add_request(added)] if added else [],
        run_requests=runs,
        skip_reason=None if runs else "no documents changed",
        cursor=json.dumps(watched.stamps, sort_keys=True),
    )


@dg.run_failure_sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Writes why a run failed as the last line of its log, where Dagster itself names only the "
        "steps."
    ),
)
def causes_of_failures(context: dg.RunFailureSensorContext) -> None:
    """Say the cause last: a log is looked at from its end."""
    log_causes(context.instance, context.dagster_run, context.get_step_failure_events())
