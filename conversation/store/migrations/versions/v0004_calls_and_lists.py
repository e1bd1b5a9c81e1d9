"""One row of usage for each call of a language model, and a fixed order of conversations."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CALL_COLUMNS = ("purpose", "request_to_first_token_ms", "request_to_last_token_ms", "error")


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("listed_at", UTCDateTime))
    op.execute("update conversations set listed_at = coalesce(started_at, ended_at, last_event_at)")
    with op.batch_alter_table("conversations") as table:
        table.alter_column("listed_at", existing_type=UTCDateTime(), nullable=False)
    op.create_index("conversations_as_listed", "conversations", ["listed_at", "conversation_id"])
    with op.batch_alter_table("llm_usage") as table:
        table.add_column(sa.Column("purpose", sa.String(16)))
        table.add_column(sa.Column("request_to_first_token_ms", sa.Float))
        table.add_column(sa.Column("request_to_last_token_ms", sa.Float))
        table.add_column(sa.Column("error", sa.String(64)))
    op.execute("update llm_usage set purpose = 'turn'")
    with op.batch_alter_table("llm_usage") as table:
        table.alter_column("purpose", existing_type=sa.String(16), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("llm_usage") as table:
        for column in _CALL_COLUMNS:
            table.drop_column(column)
    op.drop_index("conversations_as_listed", "conversations")
    with op.batch_alter_table("conversations") as table:
        table.drop_column("listed_at")
