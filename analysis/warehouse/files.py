"""What lies where in the warehouse folder, and which of its days are out of date."""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from analysis.dictionary.schema import Table
from analysis.dictionary.tables import dictionary_version
from analysis.store.touched import DayMark
from conversation.store.store import ConversationStore, ConversationSummary
from kb.whole_file import write_whole

_LOOKED_AT = "looked_at"
"""Below `days`, so that it goes when somebody deletes that folder to have all days written."""


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


def exported_fingerprints(warehouse_dir: Path, days: Iterable[date]) -> dict[date, str | None]:
    """Return for those of `days` that are exported what the stores said when it was written."""
    paths = {day: _noted(warehouse_dir, day) for day in days}
    return {day: _fingerprint_in(path) for day, path in paths.items() if path.exists()}


def noted_days(warehouse_dir: Path) -> dict[date, int]:
    """Return the days that are exported, each with when that was noted: no file is read."""
    folder = warehouse_dir / "days"
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as found:
        return {
            date.fromisoformat(entry.name.removesuffix(".json")): entry.stat().st_mtime_ns
            for entry in found
            if entry.name.endswith(".json")
        }


def fingerprint_of(mark: DayMark | None) -> str | None:
    """Return what is noted of a day that is exported at this mark; None: nothing is left of it."""
    return f"{mark.mark} {dictionary_version()}" if mark is not None and mark.held else None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """Up to which mark all days are known to be exported."""

    mark: int
    noted_at_ns: int


def looked_at(warehouse_dir: Path) -> LookedAt | None:
    """Return how far the days were compared; None when all of them have to be."""
    path = warehouse_dir / "days" / _LOOKED_AT
    with suppress(FileNotFoundError, json.JSONDecodeError):
        noted_at_ns = path.stat().st_mtime_ns
        noted = json.loads(path.read_text("utf-8"))
        if noted.get("dictionary") == dictionary_version():
            return LookedAt(noted["mark"], noted_at_ns)
    return None


def note_looked_at(warehouse_dir: Path, mark: int) -> None:
    """Note that all days are exported up to this mark."""
    folder = warehouse_dir / "days"
    if folder.is_dir():
        text = json.dumps({"mark": mark, "dictionary": dictionary_version()})
        write_whole(folder / _LOOKED_AT, text)


def ended_on(conversations: ConversationStore, day: date) -> list[ConversationSummary]:
    """Return the conversations that ended on a UTC day."""
    midnight = datetime.combine(day, time(), UTC)
    found = conversations.conversations(ended_from=midnight, ended_to=midnight + timedelta(days=1))
    return [summary for summary in found if summary.status != "in_progress"]


def _fingerprint_in(path: Path) -> str | None:
    with suppress(json.JSONDecodeError):
        return json.loads(path.read_text("utf-8")).get("fingerprint")
    return None


def remember_day(warehouse_dir: Path, day: date, fingerprint: str | None) -> None:
    """Note that a day is exported; None when nothing of it is left, or it has to be done again."""
    path = _noted(warehouse_dir, day)
    if fingerprint is None:
        path.unlink(missing_ok=True)
        return
    write_whole(path, json.dumps({"fingerprint": fingerprint}))


def _noted(warehouse_dir: Path, day: date) -> Path:
    return warehouse_dir / "days" / f"{day}.json"
