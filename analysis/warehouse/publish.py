"""Stores -> one Parquet file a day for each table -> the published DuckDB file.

Everything here can be thrown away and made again. Whatever is killed half-way leaves the warehouse
and the published file as they were, and the next run repairs the rest.
"""

import logging
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from filelock import FileLock
from pydantic import ValidationError

from analysis.dictionary.tables import (
    DAILY_TABLES,
    DOCUMENTS,
    JUDGE_AGREEMENT,
    QUESTION_VERSIONS,
    STORED_TABLES,
)
from analysis.dictionary.views import VIEWS, agent_views
from analysis.dictionary.week_views import WILSON_MACRO
from analysis.store.store import AnalysisStore
from analysis.warehouse.files import (
    day_file,
    ended_by_day,
    ended_on,
    exported_fingerprints,
    fingerprints_of,
    remember_day,
    remove_leftovers,
    snapshot_file,
    staging_folder,
    table_files,
)
from analysis.warehouse.load import create_view, load_agreement, load_table
from analysis.warehouse.parquet import QUIET, ParquetWriter, read_rows
from analysis.warehouse.rows import (
    call_metrics_row,
    collected_value_row,
    conversation_row,
    document_row,
    evaluation_row,
    label_row,
    question_version_rows,
    retrieval_rows,
    turn_rows,
    usage_rows,
)
from conversation.agent.config import AgentConfig
from conversation.errors import StoreError, UnknownConversationError
from conversation.store.store import ConversationStore, ConversationSummary
from kb.document import Document

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportedDay:
    """What one day of the warehouse holds."""

    day: date
    row_counts: Mapping[str, int]
    """By table."""
    failed: tuple[str, ...] = ()
    """Ids of conversations whose stored rows cannot be read; the others are exported."""


@dataclass(frozen=True, slots=True)
class PublishedReports:
    """The file that was put in place."""

    path: Path
    row_counts: Mapping[str, int]
    """By table."""
    views: tuple[str, ...]
    elapsed_s: float


def days_to_export(
    warehouse_dir: Path,
    *,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    days: Collection[date] | None = None,
) -> list[date]:
    """Return the days whose Parquet files no longer say what the stores say, oldest first.

    That is a day with a new, late, newly evaluated or deleted conversation, and every day after
    the data dictionary changed. None looks at every day.
    """
    if days is None:
        ended = ended_by_day(conversations)
    else:
        ended = {day: found for day in days if (found := ended_on(conversations, day))}
    wanted = fingerprints_of(ended, evaluations)
    exported = exported_fingerprints(warehouse_dir, days)
    changed = {day for day, fingerprint in wanted.items() if exported.get(day) != fingerprint}
    return sorted(changed | (exported.keys() - wanted.keys()))


def export_day(
    day: date,
    warehouse_dir: Path,
    *,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> ExportedDay:
    """Replace everything that the warehouse holds of one day (UTC) by what the stores hold.

    A day belongs to the conversations that ended on it. Running it again changes nothing.
    """
    with FileLock(_made(warehouse_dir) / "warehouse.lock"):
        # Taken before reading: what arrives meanwhile makes the day differ again.
        ended = ended_on(conversations, day)
        fingerprint = fingerprints_of({day: ended}, evaluations)[day]
        files = {table.name: day_file(warehouse_dir, table, day) for table in DAILY_TABLES}
        staging = staging_folder(warehouse_dir, str(day))
        with ParquetWriter(staging, files, DAILY_TABLES) as writer:
            failed = _write_conversations(writer, day, ended, conversations, evaluations)
            writer.commit()
        _write_question_versions(warehouse_dir, evaluations)
        remember_day(warehouse_dir, day, fingerprint if ended else None)
    return ExportedDay(day, writer.row_counts, tuple(failed))


def export_documents(warehouse_dir: Path, agent_id: str, documents: Iterable[Document]) -> int:
    """Add the versions of an agent's documents to the warehouse; older versions stay.

    Returns:
        How many versions the warehouse holds of this agent's documents.
    """
    target = snapshot_file(warehouse_dir, DOCUMENTS, agent_id)
    with FileLock(_made(warehouse_dir) / "warehouse.lock"):
        rows = {(row["document_id"], row["version"]): row for row in read_rows(target)}
        for document in documents:
            rows[(document.document_id, document.version)] = document_row(document, agent_id)
        staging = staging_folder(warehouse_dir, f"documents-{agent_id}")
        with ParquetWriter(staging, {DOCUMENTS.name: target}, [DOCUMENTS]) as writer:
            writer.add(DOCUMENTS.name, rows.values())
            writer.commit()
    return len(rows)


def publish(warehouse_dir: Path, target: Path, agents: Sequence[AgentConfig]) -> PublishedReports:
    """Build the reports from the warehouse beside `target`, then put them in its place.

    Who has the old file open keeps reading the old reports.

    Raises:
        PublishError: A file of the warehouse cannot be read; `target` is as it was.
    """
    started = time.monotonic()
    following = target.with_name(f"{target.name}.next")
    _made(target.parent)
    with FileLock(_made(warehouse_dir) / "warehouse.lock"), FileLock(f"{target}.lock"):
        remove_leftovers(warehouse_dir)
        for leftover in (following, following.with_name(f"{following.name}.wal")):
            leftover.unlink(missing_ok=True)
        views = [*VIEWS, *agent_views(agents)]
        with duckdb.connect(str(following), config=QUIET) as connection:
            # Progress is the caller's to show.
            connection.execute("SET enable_progress_bar = false")
            # One transaction: hundreds of comments would each wait for the disk.
            connection.begin()
            row_counts = {
                table.name: load_table(connection, table, table_files(warehouse_dir, table))
                for table in STORED_TABLES
            }
            row_counts[JUDGE_AGREEMENT.name] = load_agreement(connection)
            connection.execute(WILSON_MACRO)
            for view in views:
                create_view(connection, view)
            connection.commit()
            connection.execute("CHECKPOINT")
        _flush(following)
        following.replace(target)
    elapsed_s = time.monotonic() - started
    logger.info("published %d conversations in %.1f s", row_counts["conversations"], elapsed_s)
    return PublishedReports(target, row_counts, tuple(view.name for view in views), elapsed_s)


def _write_conversations(
    writer: ParquetWriter,
    day: date,
    ended: Sequence[ConversationSummary],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> list[str]:
    failed: list[str] = []
    for summary in ended:
        conversation_id = summary.conversation_id
        try:
            _write_conversation(writer, day, conversation_id, conversations, evaluations)
        except UnknownConversationError:
            continue  # deleted since it was listed
        except (StoreError, ValidationError) as error:
            logger.warning("%s is not exported: %s", conversation_id, type(error).__name__)
            failed.append(conversation_id)
    return failed


def _write_conversation(
    writer: ParquetWriter,
    day: date,
    conversation_id: str,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> None:
    ids = [conversation_id]
    transcript = conversations.transcript(conversation_id)
    retrieved = conversations.retrievals(conversation_id)
    runs = evaluations.runs(ids)
    verdicts, values = evaluations.evaluations(ids), evaluations.collected_values(ids)
    labels = evaluations.labels(ids)
    writer.add("conversations", [conversation_row(transcript, runs, day=day)])
    writer.add("turns", turn_rows(transcript, day=day))
    writer.add("retrievals", retrieval_rows(transcript, retrieved, day=day))
    writer.add("evaluations", (evaluation_row(e, transcript, day=day) for e in verdicts))
    writer.add("collected_values", (collected_value_row(v, transcript, day=day) for v in values))
    writer.add("call_metrics", [call_metrics_row(transcript, day=day)])
    writer.add("usage", usage_rows(transcript, runs, day=day))
    writer.add("labels", (label_row(label, transcript, day=day) for label in labels))


def _write_question_versions(warehouse_dir: Path, evaluations: AnalysisStore) -> None:
    target = snapshot_file(warehouse_dir, QUESTION_VERSIONS, "all")
    staging = staging_folder(warehouse_dir, "question-versions")
    with ParquetWriter(staging, {QUESTION_VERSIONS.name: target}, [QUESTION_VERSIONS]) as writer:
        rows = question_version_rows(evaluations.question_versions())
        writer.add(QUESTION_VERSIONS.name, rows)
        writer.commit()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _flush(path: Path) -> None:
    """Have the file on disk before its name points to it."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
