"""Results of plain functions as metadata that the Dagster UI shows. Counts, never what was said."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, get_args

import dagster as dg

from analysis.evaluation.tally import EvaluationRun
from analysis.report.text import Report, render_report, report_as_markdown
from analysis.reports import open_reports
from analysis.warehouse.publish import ExportedDay, PublishedReports
from conversation.llm.chat_model import KeptPrompt
from conversation.store.store import ConversationSummary
from kb.document import Document, SyncAction, SyncReport
from orchestration.checks.evaluations import Share
from orchestration.schedule.day_metrics import DayMetrics
from orchestration.terminal.rows import (
    Table,
    document_rows,
    ended_rows,
    evaluation_summary,
    failure_rows,
    ingest_summary,
    usage_rows,
)
from orchestration.terminal.tables import markdown_table

QUOTING_SECTIONS = ("Collected values", "Topics", "Knowledge gaps", "Flagged conversations")
"""Not shown here: the log of a run outlives the deletion of a conversation."""

_NAMED = 10
_SHARES = ("_share", "_usd")
"""Numbers whose first two decimals would say too little."""

SYNC_ACTIONS: tuple[SyncAction, ...] = get_args(SyncAction)
Metadata = Mapping[str, Any]


def markdown(table: Table) -> dg.MarkdownMetadataValue:
    """A table that the UI renders."""
    return dg.MetadataValue.md(markdown_table(*table))


def documents_metadata(report: SyncReport, documents: Sequence[Document]) -> Metadata:
    """What an ingest did, and the documents after it."""
    return {
        "summary": ingest_summary(report),
        "documents": len(documents),
        **{action: report.count(action) for action in SYNC_ACTIONS},
        "bytes": sum(document.bytes for document in documents),
        "characters": sum(document.chars for document in documents),
        "seconds": round(report.seconds, 2),
        "table": markdown(document_rows(documents, now=datetime.now(UTC))),
        "failures": markdown(failure_rows(documents)),
    }


def prompt_metadata(kept: KeptPrompt | None) -> Metadata:
    """What was read ahead; nothing for a model that keeps nothing."""
    if kept is None:
        return {"tokens": 0, "bytes": 0}
    return {"tokens": kept.tokens, "bytes": kept.size_bytes, "was_there": kept.was_there}


def index_metadata(report: SyncReport, documents: Sequence[Document]) -> Metadata:
    """What the index holds after an ingest."""
    return {
        "chunks": sum(document.chunk_count for document in documents),
        "chunks_embedded": report.chunks_embedded,
        "index_version": report.index_version,
        "seconds": round(report.seconds, 2),
    }


def ended_metadata(conversations: Sequence[ConversationSummary]) -> Metadata:
    """What ended on a day, by agent."""
    return {
        "conversations": len(conversations),
        "turns": sum(found.turn_count for found in conversations),
        "table": markdown(ended_rows(conversations)),
    }


def verdict_metadata(counts: Mapping[str, Counter[str]]) -> Metadata:
    """Verdicts of a day, and each success rate as a number that the UI can plot."""
    judged = {name: found["success"] + found["failure"] for name, found in counts.items()}
    rates = {
        f"success_rate/{name}": round(counts[name]["success"] / total, 3)
        for name, total in judged.items()
        if total
    }
    headers = ["agent/criterion", "success", "failure", "unknown", "error"]
    rows = [[name, *(found[verdict] for verdict in headers[1:])] for name, found in counts.items()]
    return {"verdicts": markdown((headers, rows)), **rates}


def value_metadata(counts: Mapping[str, Counter[str]]) -> Metadata:
    """Collected values of a day by field and status; never the values."""
    statuses = sorted({status for found in counts.values() for status in found})
    rows = [[name, *(found[status] for status in statuses)] for name, found in counts.items()]
    supported = sum(found["supported"] for found in counts.values())
    return {"values": supported, "fields": markdown((["agent/field", *statuses], rows))}


def summary_metadata(share: Share) -> Metadata:
    """How many conversations of a day have a summary."""
    return {"summaries": share.part, "conversations": share.whole}


def call_metrics_metadata(metrics: DayMetrics) -> Metadata:
    """Numbers of a day, each of which the UI can plot over the days; unknown ones are left out."""
    return {
        name: round(value, 4) if name.endswith(_SHARES) else round(value, 2)
        for name, value in asdict(metrics).items()
        if value is not None
    }


def evaluation_metadata(run: EvaluationRun) -> Metadata:
    """What an evaluation run asked and what it cost, over all of its days."""
    return {
        "run": evaluation_summary(run),
        "run/conversations": run.evaluated,
        "run/answers": run.answers,
        "run/errors": run.answer_errors + run.failed,
        "run/contradictions": run.contradictions,
        "run/seconds": round(run.elapsed_s, 2),
        "run/left": run.left,
        **({"run/stopped": run.stopped} if run.stopped is not None else {}),
        **({"run/usd": round(run.cost_usd, 6)} if run.cost_usd is not None else {}),
        **({"run/usage": markdown(usage_rows(run.usage))} if run.usage else {}),
    }


def export_metadata(days: Sequence[ExportedDay]) -> Metadata:
    """Rows that were written, by table."""
    rows = Counter[str]()
    for day in days:
        rows.update(day.row_counts)
    return {
        "rows": sum(rows.values()),
        "failed": sum(len(day.failed) for day in days),
        "table": markdown((["table", "rows"], sorted(rows.items()))),
    }


def published_metadata(published: PublishedReports) -> Metadata:
    """What the published file holds, and the parts of the short report that quote nobody."""
    with open_reports(published.path) as connection:
        sections = [
            section
            for section in render_report(connection).sections
            if section.title not in QUOTING_SECTIONS
        ]
    return {
        "report": dg.MetadataValue.md(report_as_markdown(Report(tuple(sections)), with_sql=False)),
        "path": dg.MetadataValue.path(str(published.path.resolve())),
        "bytes": published.path.stat().st_size,
        "seconds": round(published.elapsed_s, 2),
        "tables": markdown((["table", "rows"], sorted(published.row_counts.items()))),
        "views": markdown((["view"], [[view] for view in published.views])),
    }


def check_result(
    problems: Sequence[str],
    *,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
    **metadata: int,
) -> dg.AssetCheckResult:
    """Pass when there are no problems; else the first ones are named and the others counted."""
    named = list(problems[:_NAMED])
    if more := problems[_NAMED:]:
        named.append(f"and {len(more)} more")
    return dg.AssetCheckResult(
        passed=not problems,
        severity=severity,
        description="; ".join(named) or None,
        metadata=metadata,
    )
