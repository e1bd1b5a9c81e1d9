"""Topics, and questions that the documents do not answer."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "topics",
        sa.Column("topic_id", sa.String(32), primary_key=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("named_by", sa.String(255), nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("centroid", sa.LargeBinary, nullable=False),
        sa.Column("model_id", sa.String(255), nullable=False),
        _time("found_at"),
        _time("updated_at"),
    )
    op.create_table(
        "conversation_topics",
        sa.Column("conversation_id", sa.String(255), primary_key=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("topic_id", sa.String(32)),
        sa.Column("similarity", sa.Float),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(255), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        _time("assigned_at"),
    )
    op.create_table(
        "knowledge_gaps",
        sa.Column("gap_id", sa.String(32), primary_key=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("titled_by", sa.String(255), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _time("state_since"),
        _time("opened_at"),
        _time("checked_at", nullable=True),
        sa.Column("checked_index_version", sa.Integer),
        sa.Column("nearest", sa.JSON, nullable=False),
        sa.Column("missing_words", sa.JSON, nullable=False),
        sa.Column("passage", sa.JSON),
    )
    op.create_table(
        "gap_questions",
        sa.Column("gap_question_id", sa.Integer, primary_key=True),
        sa.Column("conversation_id", sa.String(255), nullable=False),
        sa.Column("turn_index", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("gap_id", sa.String(32)),
        sa.Column("question", sa.Text, nullable=False),
        _time("asked_at"),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("seen_chunk_ids", sa.JSON, nullable=False),
        sa.Column("model_id", sa.String(255), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("answered", sa.Boolean),
        sa.Column("score_now", sa.Float),
        sa.Column("passage", sa.JSON),
        sa.UniqueConstraint("conversation_id", "turn_index", name="uq_gap_questions"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gap_history",
        sa.Column("gap_history_id", sa.Integer, primary_key=True),
        sa.Column("gap_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("index_version", sa.Integer),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        _time("noted_at"),
        sqlite_autoincrement=True,
    )
    for table in ("topics", "conversation_topics", "knowledge_gaps", "gap_questions"):
        op.create_index(f"ix_{table}_agent", table, ["agent_id"])
    op.create_index("ix_gap_history_gap", "gap_history", ["gap_id"])


def downgrade() -> None:
    for table in (
        "gap_history",
        "gap_questions",
        "knowledge_gaps",
        "conversation_topics",
        "topics",
    ):
        op.drop_table(table)
