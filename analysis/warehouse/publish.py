"""Stores -> one Parquet file a day for each table -> the published DuckDB file.

Everything here can be thrown away and made again. Whatever is killed half-way leaves the warehouse
and the published file as they were, and the next run repairs the rest.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb
from filelock import FileLock
from pydantic import ValidationError

from analysis.dictionary.tables import DAILY_TABLES, DOCUMENTS, QUESTION_VERSIONS
from analysis.dictionary.views import VIEWS, agent_views
from analysis.store.store import AnalysisStore, StoredRun
from analysis.store.touched import DayMark, ids_ended_on, marks_of, take_touched
from analysis.warehouse.files import (
    LookedAt,
    day_file,
    exported_fingerprints,
    fingerprint_of,
    looked_at,
    note_looked_at,
    noted_days,
    remember_day,
    remove_leftovers,
    snapshot_file,
    staging_folder,
)
from analysis.warehouse.parquet import ParquetWriter, opened, read_rows
from analysis.warehouse.published_file import build, contents, held_by, note_held
from analysis.warehouse.rows import (
    Row,
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
from analysis.warehouse.small_rows import feedback_rows, tool_call_rows
from conversation.agent.config import AgentConfig
from conversation.errors import StoreError
from conversation.store.database import batches
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.transcript import Retrieval, Transcript
from kb.document import Document

_T = TypeVar("_T")

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
    the data dictionary changed. None looks at every day; what that costs follows the days that
    were touched since the last look.
    """
    engine = evaluations.engine
    take_touched(engine)
    if days is not None:
        marks = marks_of(engine, days)
        exported = exported_fingerprints(warehouse_dir, days)
        return sorted(day for day in {*days} if exported.get(day) != fingerprint_of(marks.get(day)))
    marks, noted = marks_of(engine), noted_days(warehouse_dir)
    before = looked_at(warehouse_dir)
    newest = max((found.mark for found in marks.values()), default=0)
    if before is not None and before.mark > newest:
        before = None  # another store, or an earlier state of this one
    held = {day for day, found in marks.items() if found.held}
    in_doubt = [day for day in held & noted.keys() if _in_doubt(marks[day], noted[day], before)]
    exported = exported_fingerprints(warehouse_dir, in_doubt)
    changed = {day for day in in_doubt if exported.get(day) != fingerprint_of(marks[day])}
    outdated = sorted(changed | (held ^ noted.keys()))
    if not outdated and (before is None or before.mark != newest):
        note_looked_at(warehouse_dir, newest)
    return outdated


def _in_doubt(mark: DayMark, noted_at_ns: int, before: LookedAt | None) -> bool:
    """Whether a day or the note of it may have changed since all days were compared."""
    return before is None or mark.mark > before.mark or noted_at_ns >= before.noted_at_ns


def export_days(
    days: Collection[date],
    warehouse_dir: Path,
    *,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> Iterator[ExportedDay]:
    """Replace all that the warehouse holds of some days (UTC) by what the stores hold of them.

    A day belongs to the conversations that ended on it. Running it again changes nothing; days are
    exported one by one as the iterator is asked for them. What a day costs in statements follows
    its conversations by the batch.
    """
    lock = FileLock(_made(warehouse_dir) / "warehouse.lock")
    take_touched(evaluations.engine)
    with lock:
        _write_question_versions(warehouse_dir, evaluations)
    with opened() as connection:
        for day in days:
            with lock:
                # Taken before reading: what arrives meanwhile makes the day differ again.
                mark = marks_of(evaluations.engine, [day]).get(day)
                ids = ids_ended_on(evaluations.engine, day)
                files = {table.name: day_file(warehouse_dir, table, day) for table in DAILY_TABLES}
                staging = staging_folder(warehouse_dir, str(day))
                with ParquetWriter(staging, files, DAILY_TABLES, connection=connection) as writer:
                    failed = _write_conversations(writer, day, ids, conversations, evaluations)
                    writer.commit()
                remember_day(warehouse_dir, day, fingerprint_of(mark) if ids else None)
            yield ExportedDay(day, writer.row_counts, tuple(failed))


def export_documents(warehouse_dir: Path, agent_id: str, documents: Iterable[Document]) -> int:
    """Add the versions of an agent's documents to the warehouse; older versions stay.

    Returns:
        How many versions the warehouse holds of this agent's documents.
    """
    target = snapshot_file(warehouse_dir, DOCUMENTS, agent_id)
    with FileLock(_made(warehouse_dir) / "warehouse.lock"):
        rows = {(row["document_id"], row["version"]): row for row in _kept_documents(target)}
        for document in documents:
            rows[(document.document_id, document.version)] = document_row(document, agent_id)
        staging = staging_folder(warehouse_dir, f"documents-{agent_id}")
        with ParquetWriter(staging, {DOCUMENTS.name: target}, [DOCUMENTS]) as writer:
            writer.add(DOCUMENTS.name, rows.values())
            writer.commit()
    return len(rows)


def _kept_documents(target: Path) -> list[Row]:
    try:
        return read_rows(target)
    except duckdb.Error:
        logger.warning(
            "%s was damaged: versions of documents that are gone are not in it any more", target
        )
        return []


def publish(
    warehouse_dir: Path,
    target: Path,
    agents: Sequence[AgentConfig],
    *,
    whole: bool = False,
    timezone: str = "UTC",
) -> PublishedReports:
    """Build the reports from the warehouse beside `target`, then put them in its place.

    Who has the old file open keeps reading the old reports. Where only some days differ, a copy of
    the old file is brought up to date; where nothing does, the file stays. Whatever leaves the
    reports for good, such as a forgotten conversation, makes the file anew from nothing.

    Args:
        warehouse_dir: What was exported.
        target: The published file.
        agents: Each gets a view of its values.
        whole: Make the file anew, also where a part of it would do.
        timezone: Decides the days and weeks of the views; what is stored stays in UTC.

    Raises:
        PublishError: A file of the warehouse cannot be read; `target` is as it was.
    """
    started = time.monotonic()
    following = target.with_name(f"{target.name}.next")
    _made(target.parent)
    with FileLock(_made(warehouse_dir) / "warehouse.lock"), FileLock(f"{target}.lock"):
        remove_leftovers(warehouse_dir)
        for leftover in target.parent.glob(f"{following.name}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
        views = [*VIEWS, *agent_views(agents)]
        wanted = contents(warehouse_dir, views, timezone=timezone)
        held = None if whole else held_by(warehouse_dir, target)
        if held is not None and held.parts == wanted:
            row_counts = held.row_counts
        else:
            row_counts, replaced = build(following, warehouse_dir, target, wanted, held, views)
            _flush(following)
            following.replace(target)
            note_held(warehouse_dir, target, wanted, row_counts, replaced)
    elapsed_s = time.monotonic() - started
    logger.info("published %d conversations in %.1f s", row_counts["conversations"], elapsed_s)
    return PublishedReports(target, row_counts, tuple(view.name for view in views), elapsed_s)


def _write_conversations(
    writer: ParquetWriter,
    day: date,
    conversation_ids: Sequence[str],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
) -> list[str]:
    failed: list[str] = []
    for ids in batches(conversation_ids):
        try:
            _write_batch(writer, day, ids, conversations, evaluations, failed)
        except (StoreError, ValidationError):
            # Something of one cannot be read: it is found by taking them one by one.
            for one in ids:
                _write_alone(writer, day, one, conversations, evaluations, failed)
    return failed


def _write_alone(
    writer: ParquetWriter,
    day: date,
    conversation_id: str,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    failed: list[str],
) -> None:
    try:
        _write_batch(writer, day, [conversation_id], conversations, evaluations, failed)
    except (StoreError, ValidationError) as error:
        _not_exported(conversation_id, error, failed)


def _not_exported(conversation_id: str, error: Exception, failed: list[str]) -> None:
    logger.warning("%s is not exported: %s", conversation_id, type(error).__name__)
    failed.append(conversation_id)


def _write_batch(
    writer: ParquetWriter,
    day: date,
    ids: Sequence[str],
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    failed: list[str],
) -> None:
    """Write some conversations, or none of them; those deleted since are left out."""
    found = conversations.transcripts(ids)
    said: dict[str, Transcript] = {}
    unreadable: dict[str, Exception] = {}
    for each in ids:
        transcript = found.get(each)
        if isinstance(transcript, Transcript):
            said[each] = transcript
        elif transcript is not None:
            unreadable[each] = transcript
    known = list(said)
    retrieved = conversations.retrievals_of(known)
    runs = _grouped(evaluations.runs(known), lambda run: run.conversation_id)
    verdicts = evaluations.evaluations(known)
    values = evaluations.collected_values(known)
    labels = evaluations.labels(known)
    feedback = conversations.events_of(known, kind="feedback")
    # All rows are made before the first is written: one that cannot be made leaves no halves.
    rows = [_rows_of(each, day, runs, retrieved, feedback) for each in said.values()]
    rows.append(
        {
            "evaluations": [evaluation_row(e, said[e.conversation_id], day=day) for e in verdicts],
            "collected_values": [
                collected_value_row(v, said[v.conversation_id], day=day) for v in values
            ],
            "labels": [
                label_row(label, said[label["conversation_id"]], day=day) for label in labels
            ],
        }
    )
    for made in rows:
        for table, found_rows in made.items():
            writer.add(table, found_rows)
    for key, error in unreadable.items():
        _not_exported(key, error, failed)


def _rows_of(
    transcript: Transcript,
    day: date,
    runs: Mapping[str, Sequence[StoredRun]],
    retrieved: Mapping[str, Sequence[Retrieval]],
    feedback: Mapping[str, Sequence[ConversationEvent]],
) -> dict[str, list[Row]]:
    key = transcript.conversation_id
    own_runs = runs.get(key, ())
    return {
        "conversations": [conversation_row(transcript, own_runs, day=day)],
        "turns": turn_rows(transcript, day=day),
        "retrievals": retrieval_rows(transcript, retrieved.get(key, ()), day=day),
        "call_metrics": [call_metrics_row(transcript, day=day)],
        "usage": usage_rows(transcript, own_runs, day=day),
        "tool_calls": tool_call_rows(transcript, day=day),
        "feedback": feedback_rows(transcript, feedback.get(key, ()), day=day),
    }


def _grouped(rows: Iterable[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    """Return rows by their conversation, in their order."""
    by_key: dict[str, list[_T]] = {}
    for row in rows:
        by_key.setdefault(key(row), []).append(row)
    return by_key


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
