"""Stores -> one Parquet file a day for each table -> the published DuckDB file.

Everything here can be thrown away and made again. Whatever is killed half-way leaves the warehouse
and the published file as they were, and the next run repairs the rest.
"""

import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import sqlalchemy as sa
from filelock import FileLock

from analysis.dictionary.tables import DAILY_TABLES, DOCUMENTS, QUESTION_VERSIONS
from analysis.dictionary.views import VIEWS, agent_views
from analysis.store.store import AnalysisStore
from analysis.store.touched import DayMark, ids_ended_on, marks_of, take_touched
from analysis.warehouse.day_rows import write_conversations
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
from analysis.warehouse.parquet import DaysWriter, ParquetWriter, opened, read_rows
from analysis.warehouse.published_file import build, contents, held_by, note_held
from analysis.warehouse.rows import Row, document_row, question_version_rows
from conversation.agent.config import AgentConfig
from conversation.store.database import IDS_PER_QUERY
from conversation.store.store import ConversationStore
from kb.document import Document

_DAYS_AT_ONCE = 32

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
    exported as the iterator is asked for them, small ones several at a time. What it costs in
    statements follows the conversations by the batch.
    """
    lock = FileLock(_made(warehouse_dir) / "warehouse.lock")
    take_touched(evaluations.engine)
    with lock:
        _write_question_versions(warehouse_dir, evaluations)
    with opened() as connection:
        for group in _groups(days, evaluations.engine):
            with lock:
                exported = _export_group(
                    group, warehouse_dir, conversations, evaluations, connection
                )
            yield from exported


def _groups(days: Collection[date], engine: sa.Engine) -> Iterator[list[date]]:
    """Days that are exported together: as many as fill a batch of conversations, or one alone."""
    group: list[date] = []
    conversations = 0
    listed = list(days)
    if len(listed) < 2:
        yield from ([day] for day in listed)
        return
    for start in range(0, len(listed), _DAYS_AT_ONCE):
        some = listed[start : start + _DAYS_AT_ONCE]
        counts = Counter(ids_ended_on(engine, some).values())
        for day in some:
            if group and (
                conversations + counts[day] > IDS_PER_QUERY or len(group) == _DAYS_AT_ONCE
            ):
                yield group
                group, conversations = [], 0
            group.append(day)
            conversations += counts[day]
    if group:
        yield group


def _export_group(
    days: Sequence[date],
    warehouse_dir: Path,
    conversations: ConversationStore,
    evaluations: AnalysisStore,
    connection: duckdb.DuckDBPyConnection,
) -> list[ExportedDay]:
    # Taken before reading: what arrives meanwhile makes a day differ again.
    marks = marks_of(evaluations.engine, days)
    ended = ids_ended_on(evaluations.engine, days)
    staging = staging_folder(warehouse_dir, str(days[0]))
    file_of = partial(day_file, warehouse_dir)
    with DaysWriter(staging, file_of, DAILY_TABLES, days, connection=connection) as writer:
        failed = write_conversations(writer, ended, conversations, evaluations)
        writer.commit()
    held = set(ended.values())
    for day in days:
        fingerprint = fingerprint_of(marks.get(day)) if day in held else None
        remember_day(warehouse_dir, day, fingerprint)
    return [
        ExportedDay(
            day, writer.row_counts(day), tuple(each for each in failed if ended[each] == day)
        )
        for day in days
    ]


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
