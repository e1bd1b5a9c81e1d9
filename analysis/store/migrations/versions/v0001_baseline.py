"""Evaluations, collected values, runs, versions of questions, labels."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _result_table(name: str, key: str, question: str, columns: tuple[sa.Column[Any], ...]) -> None:
    op.create_table(
        name,
        sa.Column(key, sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(255), nullable=False),
        sa.Column("transcript_sha256", sa.String(64), nullable=False),
        sa.Column(f"{question}_id", sa.String(128), nullable=False),
        sa.Column(f"{question}_version", sa.String(64), nullable=False),
        sa.Column("judge_model", sa.String(255), nullable=False),
        sa.Column("judge_prompt_version", sa.String(64), nullable=False),
        sa.Column("sample", sa.Integer, nullable=False),
        *columns,
        sa.Column("rationale", sa.Text),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("unsupported_quotes", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("usage", sa.JSON),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_conversation", name, ["conversation_id"])
    op.create_index(
        f"uq_{name}_key",
        name,
        [
            "conversation_id",
            "transcript_sha256",
            f"{question}_id",
            f"{question}_version",
            "judge_model",
            "judge_prompt_version",
            "sample",
        ],
        unique=True,
        sqlite_where=sa.text("error IS NULL"),
        postgresql_where=sa.text("error IS NULL"),
    )


def upgrade() -> None:
    _result_table(
        "evaluations",
        "evaluation_id",
        "criterion",
        (sa.Column("verdict", sa.String(16)), sa.Column("confidence", sa.Float)),
    )
    _result_table(
        "collected_values",
        "collected_value_id",
        "field",
        (sa.Column("value", sa.JSON), sa.Column("status", sa.String(16), nullable=False)),
    )
    op.create_table(
        "analysis_runs",
        sa.Column("analysis_run_id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(255), nullable=False),
        sa.Column("transcript_sha256", sa.String(64), nullable=False),
        sa.Column("judge_model", sa.String(255), nullable=False),
        sa.Column("judge_prompt_version", sa.String(64), nullable=False),
        sa.Column("summary", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("usage", sa.JSON),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_analysis_runs_conversation", "analysis_runs", ["conversation_id"])
    op.create_table(
        "question_versions",
        sa.Column("agent_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("question_id", sa.String(128), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "agent_id", "kind", "question_id", "version", name="uq_question_versions"
        ),
    )
    op.create_table(
        "labels",
        sa.Column("label_id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(255), nullable=False),
        sa.Column("criterion_id", sa.String(128), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("annotator", sa.String(255), nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("labelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("conversation_id", "criterion_id", "annotator", name="uq_labels"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_labels_conversation", "labels", ["conversation_id"])


def downgrade() -> None:
    for table in (
        "labels",
        "question_versions",
        "analysis_runs",
        "collected_values",
        "evaluations",
    ):
        op.drop_table(table)
