"""Columns of the reports as Dagster shows them: the data dictionary, said once."""

from collections.abc import Iterable

import dagster as dg

from analysis.dictionary.finding_tables import CONVERSATION_TOPICS, GAP_STATES
from analysis.dictionary.schema import Column, Table
from analysis.dictionary.tables import (
    CALL_METRICS,
    COLLECTED_VALUES,
    CONVERSATIONS,
    DAILY_TABLES,
    DOCUMENTS,
    EVALUATIONS,
    QUESTION_VERSIONS,
    TABLES,
)

JUDGED = ("summary", "analysis_error")
"""Columns of `conversations` that judging adds; the others are there when a conversation ends."""

KEYS = tuple(
    column
    for column in CONVERSATIONS.columns
    if all(column in table.columns for table in DAILY_TABLES)
)
"""What ties a row to its conversation: columns that every table of a day has of it."""

EXPORTED_TABLES = (*DAILY_TABLES, QUESTION_VERSIONS)
"""Tables that `report_tables` writes."""

COLUMNS: dict[str, tuple[Column, ...]] = {
    "ended_conversations": tuple(c for c in CONVERSATIONS.columns if c.name not in JUDGED),
    "summaries": (*KEYS, *(c for c in CONVERSATIONS.columns if c.name in JUDGED)),
    "call_metrics": CALL_METRICS.all_columns,
    "questions": QUESTION_VERSIONS.all_columns,
    "evaluations": EVALUATIONS.all_columns,
    "collected_values": COLLECTED_VALUES.all_columns,
    "documents": DOCUMENTS.all_columns,
    "topics": CONVERSATION_TOPICS.all_columns,
    "knowledge_gaps": GAP_STATES.all_columns,
}
"""By asset whose rows end in one table of the reports."""

SUPPLIERS: dict[str, tuple[str, ...]] = {
    CONVERSATIONS.name: ("ended_conversations", "summaries"),
    CALL_METRICS.name: ("call_metrics",),
    QUESTION_VERSIONS.name: ("questions",),
    EVALUATIONS.name: ("evaluations",),
    COLLECTED_VALUES.name: ("collected_values",),
    DOCUMENTS.name: ("documents",),
    CONVERSATION_TOPICS.name: ("topics",),
    GAP_STATES.name: ("knowledge_gaps",),
}
"""By table: the assets that its columns come from, the first of those that have a column."""


def column_schema(asset: str) -> dict[str, dg.TableSchema]:
    """Metadata of an asset whose rows end in one table."""
    return _schema((column.name, column) for column in COLUMNS[asset])


def exported_schema() -> dict[str, dg.TableSchema]:
    """Metadata of `report_tables`: several tables, so that columns are called `table.column`."""
    return _schema((qualified(t, c.name), c) for t in EXPORTED_TABLES for c in t.columns)


def published_schema() -> dict[str, dg.TableSchema]:
    """Metadata of `reports`: all tables with what is computed on publishing."""
    return _schema((qualified(t, c.name), c) for t in TABLES for c in t.all_columns)


def qualified(table: Table, column: str) -> str:
    """Name of a column where several tables are one asset."""
    return f"{table.name}.{column}"


def _schema(columns: Iterable[tuple[str, Column]]) -> dict[str, dg.TableSchema]:
    found = [dg.TableColumn(name, c.type, description=c.comment) for name, c in columns]
    return {"dagster/column_schema": dg.TableSchema(found)}
