"""Tables of the analysis store. Rows are only ever added; deletion follows a conversation's own.

They live at the same SQLAlchemy URL as the conversations, with a migration history of their own.
"""

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from conversation.database import Schema, UTCDateTime

metadata = MetaData()

evaluations = Table(
    "evaluations",
    metadata,
    Column("evaluation_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("criterion_id", String(128), nullable=False),
    Column("criterion_version", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("sample", Integer, nullable=False),
    Column("verdict", String(16)),
    Column("confidence", Float),
    Column("rationale", Text),
    Column("evidence", JSON, nullable=False),
    Column("unsupported_quotes", JSON, nullable=False),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_evaluations_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)

collected_values = Table(
    "collected_values",
    metadata,
    Column("collected_value_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("field_id", String(128), nullable=False),
    Column("field_version", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("sample", Integer, nullable=False),
    Column("value", JSON(none_as_null=True)),
    Column("status", String(16), nullable=False),
    Column("rationale", Text),
    Column("evidence", JSON, nullable=False),
    Column("unsupported_quotes", JSON, nullable=False),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_collected_values_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)

# A verdict that stands is unique for its key and cannot be replaced. Errors are recorded beside
# it without limit, so that a failed attempt never blocks the next one.
for _table, _question in ((evaluations, "criterion"), (collected_values, "field")):
    _is_result = _table.c.error.is_(None)
    Index(
        f"uq_{_table.name}_key",
        _table.c.conversation_id,
        _table.c.transcript_sha256,
        _table.c[f"{_question}_id"],
        _table.c[f"{_question}_version"],
        _table.c.judge_model,
        _table.c.judge_prompt_version,
        _table.c.sample,
        unique=True,
        sqlite_where=_is_result,
        postgresql_where=_is_result,
    )

analysis_runs = Table(
    "analysis_runs",
    metadata,
    Column("analysis_run_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("transcript_sha256", String(64), nullable=False),
    Column("judge_model", String(255), nullable=False),
    Column("judge_prompt_version", String(64), nullable=False),
    Column("summary", Text),
    Column("error", Text),
    Column("usage", JSON(none_as_null=True)),
    Column("evaluated_at", UTCDateTime, nullable=False),
    Index("ix_analysis_runs_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)
"""One row for each time a conversation was analysed: its summary, and what the whole run cost."""

question_versions = Table(
    "question_versions",
    metadata,
    Column("agent_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("question_id", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("definition", JSON, nullable=False),
    Column("first_used_at", UTCDateTime, nullable=False),
    UniqueConstraint("agent_id", "kind", "question_id", "version", name="uq_question_versions"),
)
"""What each version of a criterion or field asked, so that an old verdict can still be read."""

labels = Table(
    "labels",
    metadata,
    Column("label_id", Integer, primary_key=True),
    Column("conversation_id", String(255), nullable=False),
    Column("criterion_id", String(128), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("annotator", String(255), nullable=False),
    Column("note", Text),
    Column("labelled_at", UTCDateTime, nullable=False),
    UniqueConstraint("conversation_id", "criterion_id", "annotator", name="uq_labels"),
    Index("ix_labels_conversation", "conversation_id"),
    sqlite_autoincrement=True,
)
"""Verdicts by people. One annotator has one verdict for a criterion of a conversation."""

SCHEMA = Schema(
    metadata=metadata,
    migrations_package="analysis",
    version_table="alembic_version_analysis",
    head="0001",
)
