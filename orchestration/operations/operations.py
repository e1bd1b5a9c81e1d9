"""What commands and Dagster assets do: each function joins parts of a deployment to one result."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.errors import ReportsNotPublishedError
from analysis.reports import open_reports
from analysis.store.closed_days import agents_by_day
from analysis.store.forgetting import forget_findings
from analysis.warehouse import files as warehouse_files
from analysis.warehouse.finding_rows import export_findings, findings_outdated
from analysis.warehouse.publish import (
    ExportedDay,
    PublishedReports,
    days_to_export,
)
from analysis.warehouse.publish import export_days as write_days
from conversation.errors import ConversationError
from conversation.store.store import ConversationSummary
from orchestration.deployment import Deployment
from orchestration.operations.exports import renew_report_page
from orchestration.operations.masking import (
    agents_masked_otherwise,
    days_of,
    note_masking,
    redacted_conversations,
    redacted_evaluations,
    usable_agents,
)
from orchestration.operations.mending import publish_mended
from orchestration.operations.narrowing import (
    Narrowing,
    evaluation_scope,
    narrowed_agents,
)
from orchestration.operations.published_agents import agents_to_publish, note_agents

if TYPE_CHECKING:
    from analysis.evaluation.tally import EvaluationRun
    from analysis.results import Evaluation
    from conversation.importing.files import ImportReport
    from conversation.importing.written_dates import Order
    from conversation.voice.hearing.open_hearing import Hearing

logger = logging.getLogger(__name__)

EVERYTHING = Narrowing()


def import_transcripts(
    deployment: Deployment,
    path: Path,
    agent_id: str,
    *,
    agent_speakers: Sequence[str] = (),
    user_speakers: Sequence[str] = (),
    columns: Mapping[str, str] | None = None,
    date_order: Order | None = None,
) -> ImportReport:
    """Take in the finished conversations of a file or folder; known ones are left as they are.

    Recordings are heard as the agent hears its calls, in the languages that it speaks.
    """
    # What asks judges and reads recordings is loaded by those who do: `report` does neither.
    from conversation.agent.models.voice_config import VoiceSection
    from conversation.importing.files import import_path
    from conversation.voice.hearing.open_hearing import open_hearing

    def hearing() -> Hearing:
        agent = deployment.agent(agent_id).agent
        return open_hearing(
            agent.voice or VoiceSection(),
            languages=(agent.language, *agent.languages),
            weights=deployment.weights,
        )

    return import_path(
        path,
        deployment.conversations,
        agent_id,
        agent_speakers=agent_speakers,
        user_speakers=user_speakers,
        columns=columns,
        date_order=date_order,
        hearing=hearing,
    )


def close_abandoned(deployment: Deployment, now: datetime) -> list[str]:
    """End the conversations whose process is gone, so that they are judged too.

    Their recordings, which lasted until the process was killed, are made smaller.
    """
    closed = deployment.conversations.close_abandoned(now)
    for conversation_id in deployment.recordings.unfinished():
        with suppress(ConversationError, OSError):
            if deployment.conversations.transcript(conversation_id).status != "in_progress":
                deployment.recordings.finish(conversation_id)
    return closed


def ended_on(deployment: Deployment, day: date) -> list[ConversationSummary]:
    """Conversations that ended on a day (UTC)."""
    return warehouse_files.ended_on(deployment.conversations, day)


def days_with_conversations(deployment: Deployment, agent_id: str | None = None) -> list[date]:
    """Days (UTC) on which conversations ended, oldest first."""
    found = agents_by_day(deployment.conversations.engine)
    return [day for day, agents in found.items() if agent_id is None or agent_id in agents]


def evaluate(
    deployment: Deployment,
    days: Collection[date] | None = None,
    narrowing: Narrowing = EVERYTHING,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> EvaluationRun:
    """Ask the judges what has no answer yet about the conversations of `days`, or of all.

    Raises:
        UnknownQuestionError: `narrowing` names a criterion or field that no agent has.
    """
    from analysis.evaluation.run import evaluate_conversations

    narrowing = narrowing if days is None else replace(narrowing, days=days)
    agents = narrowed_agents(deployment, narrowing)
    return evaluate_conversations(
        redacted_conversations(deployment),
        deployment.evaluations,
        agents,
        open_model=deployment.chat_model,
        scope=evaluation_scope(deployment, narrowing, now=now()),
        max_usd=narrowing.max_usd,
        max_tokens=narrowing.max_tokens,
        price=deployment.price_usd,
        concurrency=deployment.settings.judge_concurrency,
        progress=deployment.progress,
        now=now,
    )


def explain_verdict(
    deployment: Deployment,
    conversation_id: str,
    criterion_id: str,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Evaluation:
    """Ask for the reason of a verdict that has none, and publish it; returns the verdict with it.

    Raises:
        ReasonError: There is no such verdict, or it is of another transcript or question.
        ModelError: The judge failed; nothing is kept.
    """
    from analysis.evaluation.later_reasons import ask_for_reason

    explained = ask_for_reason(
        redacted_conversations(deployment),
        deployment.evaluations,
        usable_agents(deployment),
        conversation_id,
        criterion_id,
        open_model=deployment.chat_model,
        now=now,
    )
    if reports_outdated(deployment):
        publish_reports(deployment)
    return explained


def export_days(deployment: Deployment, days: Collection[date]) -> list[ExportedDay]:
    """Write the report rows of each day anew."""
    exported: list[ExportedDay] = []
    if not days:
        return exported
    conversations = redacted_conversations(deployment)
    evaluations = redacted_evaluations(deployment, conversations)
    deployment.progress("days", 0, len(days))
    for done in write_days(
        days, deployment.warehouse_dir, conversations=conversations, evaluations=evaluations
    ):
        exported.append(done)
        if deployment.lake is not None:
            from analysis.warehouse.lake import write_day

            write_day(
                deployment.lake,
                deployment.warehouse_dir,
                done.day,
                timezone=deployment.settings.timezone,
            )
        deployment.progress("days", len(exported), len(days))
    return exported


def outdated_days(deployment: Deployment, days: Collection[date] | None = None) -> list[date]:
    """Days, of all or of `days`, whose report rows no longer say what the stores say."""
    outdated = days_to_export(
        deployment.warehouse_dir,
        conversations=deployment.conversations,
        evaluations=deployment.evaluations,
        days=days,
    )
    masked = days_of(deployment, agents_masked_otherwise(deployment))
    return sorted({*outdated, *(masked if days is None else masked.intersection(days))})


def publish_reports(deployment: Deployment) -> PublishedReports:
    """Bring every outdated day up to date, then put a new published file in place.

    Where nothing changed, the published file stays. What is damaged in the warehouse is written
    anew from the stores.
    """
    masked = agents_masked_otherwise(deployment)
    export_days(deployment, outdated_days(deployment))
    for agent_id in masked:
        # What was found in words that are masked by now; the next run finds it in the masked ones.
        forget_findings(deployment.evaluations.engine, agent_id)
    export_findings(deployment.warehouse_dir, deployment.evaluations)
    note_masking(deployment)
    agents = agents_to_publish(deployment)
    note_agents(deployment, agents)
    if deployment.lake is not None:
        from analysis.warehouse.lake import write_snapshots

        write_snapshots(
            deployment.lake,
            deployment.warehouse_dir,
            agents,
            timezone=deployment.settings.timezone,
        )
    before = _stamp(deployment.reports_file)
    published = publish_mended(deployment, agents, whole=bool(masked))
    if _stamp(deployment.reports_file) != before:
        renew_report_page(deployment, datetime.now(UTC))
    return published


def _stamp(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.exists() else None


def renew_reports(deployment: Deployment) -> None:
    """Publish where the published file is old, gone or damaged."""
    if not reports_outdated(deployment):
        with suppress(ReportsNotPublishedError):
            open_reports(deployment.reports_file).close()
            return
    publish_reports(deployment)


def reports_outdated(deployment: Deployment) -> bool:
    """Whether publishing would show anything else than the published file does."""
    return (
        not deployment.reports_file.exists()
        or bool(outdated_days(deployment))
        or findings_outdated(deployment.warehouse_dir, deployment.evaluations)
    )
