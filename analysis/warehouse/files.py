"""What lies where in the warehouse folder, and which of its days are out of date."""

import hashlib
import json
import shutil
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from analysis.dictionary.schema import Table
from analysis.dictionary.tables import dictionary_version
from analysis.store.store import AnalysisStore
from conversation.store.store import ConversationStore, ConversationSummary


def day_file(warehouse_dir: Path, table: Table, day: date) -> Path:
    """Return the one Parquet file that holds a table's rows of a day."""
    return warehouse_dir / table.name / f"day={day}" / "part.parquet"


def snapshot_file(warehouse_dir: Path, table: Table, part: str) -> Path:
    """Return the file of a part of a table that does not belong to a day."""
    return warehouse_dir / table.name / f"part={part}" / "part.parquet"


def staging_folder(warehouse_dir: Path, part: str) -> Path:
    """Return where rows are collected before their files are put in place."""
    return warehouse_dir / f".staging-{part}"


def remove_leftovers(warehouse_dir: Path) -> None:
    """Delete what killed exports left: it holds words of conversations that may be deleted since.

    Call it under the warehouse's lock.
    """
    for folder in warehouse_dir.glob(".staging-*"):
        shutil.rmtree(folder)


def table_files(warehouse_dir: Path, table: Table) -> list[Path]:
    """Return every Parquet file of a table, in order of days."""
    return sorted((warehouse_dir / table.name).glob("*/part.parquet"))


def exported_fingerprints(
    warehouse_dir: Path, days: Collection[date] | None = None
) -> dict[date, str | None]:
    """Return for each exported day, or each of `days`, what the stores said when it was written."""
    folder = warehouse_dir / "days"
    if days is None:
        paths = [*folder.glob("*.json")]
    else:
        paths = [path for day in days if (path := folder / f"{day}.json").exists()]
    return {date.fromisoformat(path.stem): _fingerprint_in(path) for path in paths}


def ended_by_day(conversations: ConversationStore) -> dict[date, list[ConversationSummary]]:
    """Return the conversations that are over, by the UTC day on which they ended."""
    by_day: dict[date, list[ConversationSummary]] = defaultdict(list)
    for summary in conversations.conversations():
        if summary.ended_at is not None and summary.status != "in_progress":
            by_day[summary.ended_at.astimezone(UTC).date()].append(summary)
    return by_day


def ended_on(conversations: ConversationStore, day: date) -> list[ConversationSummary]:
    """Return the conversations that ended on a UTC day."""
    midnight = datetime.combine(day, time(), UTC)
    found = conversations.conversations(ended_from=midnight, ended_to=midnight + timedelta(days=1))
    return [summary for summary in found if summary.status != "in_progress"]


def fingerprints_of(
    by_day: Mapping[date, Sequence[ConversationSummary]], evaluations: AnalysisStore
) -> dict[date, str]:
    """Return for each day a hash that moves when anything about its conversations does."""
    ids = [summary.conversation_id for found in by_day.values() for summary in found]
    marks = evaluations.progress_marks(ids)
    fingerprints: dict[date, str] = {}
    for day, summaries in by_day.items():
        lines = sorted(
            f"{s.conversation_id} {s.closed_at} {s.turn_count} {marks.get(s.conversation_id)}"
            for s in summaries
        )
        text = "\n".join([dictionary_version(), *lines])
        fingerprints[day] = hashlib.sha256(text.encode()).hexdigest()
    return fingerprints


def _fingerprint_in(path: Path) -> str | None:
    with suppress(json.JSONDecodeError):
        return json.loads(path.read_text("utf-8")).get("fingerprint")
    return None


def remember_day(warehouse_dir: Path, day: date, fingerprint: str | None) -> None:
    """Note that a day is exported; None when nothing of it is left."""
    path = warehouse_dir / "days" / f"{day}.json"
    if fingerprint is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    following = path.with_suffix(".next")
    following.write_text(json.dumps({"fingerprint": fingerprint}), "utf-8")
    following.replace(path)
