"""Baseline: conversations, their events, turns, retrievals and usage."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.String(255), primary_key=True),
        sa.Column("agent_id", sa.String(128), nullable=False),
        sa.Column("agent_version", sa.String(64)),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("started_at", UTCDateTime),
        sa.Column("last_event_at", UTCDateTime, nullable=False),
        sa.Column("ended_at", UTCDateTime),
        sa.Column("end_reason", sa.String(64)),
        sa.Column("closed_at", UTCDateTime),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("metadata", sa.JSON, nullable=False),
        sa.Column("owner", sa.String(255)),
    )
    op.create_index("conversations_by_agent", "conversations", ["agent_id", "ended_at"])
    op.create_index("conversations_by_end", "conversations", ["ended_at"])
    op.create_index("conversations_by_closing", "conversations", ["closed_at"])
    op.create_index("conversations_by_status", "conversations", ["status", "last_event_at"])
    op.create_table(
        "conversation_events",
        sa.Column("event_id", sa.Integer, primary_key=True),
        _conversation_id(),
        sa.Column("turn_id", sa.String(255)),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("occurred_at", UTCDateTime, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("turn_id", sa.String(255), primary_key=True),
        _conversation_id(),
        sa.Column("turn_index", sa.Integer, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("generated_text", sa.Text),
        sa.Column("heard_text", sa.Text, nullable=False),
        sa.Column("interrupted", sa.Boolean, nullable=False),
        sa.Column("offset_s", sa.Float),
        sa.Column("grounded_share", sa.Float),
        sa.Column("error", sa.Text),
        sa.Column("citations", sa.JSON, nullable=False),
        sa.Column("unsupported_spans", sa.JSON, nullable=False),
        sa.Column("tool_calls", sa.JSON, nullable=False),
        sa.Column("latency", sa.JSON),
        sa.Column("recorded_at", UTCDateTime, nullable=False),
        sa.UniqueConstraint("conversation_id", "turn_index", name="turns_in_order"),
    )
    op.create_table(
        "retrievals",
        sa.Column("retrieval_id", sa.Integer, primary_key=True),
        _conversation_id(),
        sa.Column("turn_id", sa.String(255), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("mode", sa.String(32), nullable=False),
        sa.Column("chunk_id", sa.String(255), nullable=False),
        sa.Column("document_id", sa.String(255), nullable=False),
        sa.Column("document_name", sa.Text, nullable=False),
        sa.Column("document_version", sa.Integer),
        sa.Column("start_char", sa.Integer, nullable=False),
        sa.Column("end_char", sa.Integer, nullable=False),
        sa.Column("page", sa.String(64)),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("in_prompt", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "llm_usage",
        sa.Column("usage_id", sa.Integer, primary_key=True),
        _conversation_id(),
        sa.Column("turn_id", sa.String(255), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("cached_input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("cost_usd", sa.Float),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("recorded_at", UTCDateTime, nullable=False),
    )
    for table, column in _INDEXED:
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table in ("llm_usage", "retrievals", "turns", "conversation_events", "conversations"):
        op.drop_table(table)


def _conversation_id() -> sa.Column[str]:
    return sa.Column(
        "conversation_id",
        sa.String(255),
        sa.ForeignKey("conversations.conversation_id"),
        nullable=False,
    )


_INDEXED = (
    ("conversation_events", "conversation_id"),
    ("retrievals", "conversation_id"),
    ("retrievals", "turn_id"),
    ("retrievals", "chunk_id"),
    ("retrievals", "document_id"),
    ("llm_usage", "conversation_id"),
    ("llm_usage", "turn_id"),
)
