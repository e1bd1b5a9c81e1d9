"""What was found over many conversations -> files of the warehouse."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

from analysis.dictionary.finding_tables import (
    CONVERSATION_TOPICS,
    FINDING_TABLES,
    GAP_HISTORY,
    GAP_QUESTIONS,
    GAP_STATES,
)
from analysis.gaps.store import gap_history, gap_rows
from analysis.store.store import AnalysisStore
from analysis.topics.topic_store import topic_rows
from analysis.warehouse.files import snapshot_file, staging_folder
from analysis.warehouse.parquet import ParquetWriter
from analysis.warehouse.rows import Row, timestamp

_ALL = "all"


def export_findings(warehouse_dir: Path, evaluations: AnalysisStore) -> bool:
    """Bring topics and gaps in the warehouse to what the store says; False: nothing to do."""
    rows = finding_rows(evaluations.engine)
    fingerprint = _fingerprint(rows)
    if _noted(warehouse_dir) == fingerprint:
        return False
    warehouse_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(warehouse_dir / "warehouse.lock"):
        files = {table.name: snapshot_file(warehouse_dir, table, _ALL) for table in FINDING_TABLES}
        staging = staging_folder(warehouse_dir, "findings")
        with ParquetWriter(staging, files, FINDING_TABLES) as writer:
            for table, found in rows.items():
                writer.add(table, found)
            writer.commit()
        _note(warehouse_dir).write_text(fingerprint, "utf-8")
    return True


def findings_outdated(warehouse_dir: Path, evaluations: AnalysisStore) -> bool:
    """Whether the store says something else of topics and gaps than the warehouse."""
    return _noted(warehouse_dir) != _fingerprint(finding_rows(evaluations.engine))


def forget_exported_findings(warehouse_dir: Path) -> None:
    """Have `export_findings` write every file, whatever it wrote before."""
    _note(warehouse_dir).unlink(missing_ok=True)


def finding_rows(engine: sa.Engine) -> dict[str, list[Row]]:
    """Return the rows of every table of findings."""
    gaps, questions = gap_rows(engine)
    return {
        CONVERSATION_TOPICS.name: [
            row | {"assigned_at": timestamp(row["assigned_at"])} for row in topic_rows(engine)
        ],
        GAP_STATES.name: [_gap_row(row) for row in gaps],
        GAP_QUESTIONS.name: [_question_row(row) for row in questions],
        GAP_HISTORY.name: [
            row | {"noted_at": timestamp(row["noted_at"])} for row in gap_history(engine)
        ],
    }


def _gap_row(row: Mapping[str, Any]) -> Row:
    passage: dict[str, Any] = row["passage"] or {}
    nearest: list[dict[str, Any]] = row["nearest"]
    times = {name: timestamp(row[name]) for name in ("state_since", "opened_at", "checked_at")}
    return {
        **row,
        **times,
        "nearest_documents": [each["document_name"] for each in nearest],
        "fixed_by_document": passage.get("document_name"),
        "fixed_by_chunk_id": passage.get("chunk_id"),
        "fixed_by_text": passage.get("text"),
    }


def _question_row(row: Mapping[str, Any]) -> Row:
    asked_at: datetime = row["asked_at"]
    return {
        **row,
        "day": asked_at.astimezone(UTC).date().isoformat(),
        "asked_at": timestamp(asked_at),
    }


def _fingerprint(rows: Mapping[str, list[Row]]) -> str:
    names = [f"{t.name}.{c.name} {c.type}" for t in FINDING_TABLES for c in t.columns]
    return hashlib.sha256(json.dumps([names, rows], default=str).encode()).hexdigest()


def _note(warehouse_dir: Path) -> Path:
    return warehouse_dir / "findings.sha256"


def _noted(warehouse_dir: Path) -> str | None:
    path = _note(warehouse_dir)
    return path.read_text("utf-8") if path.exists() else None
