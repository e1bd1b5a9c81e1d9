"""What only the API knows, and what waits to be told to webhooks."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEX = "webhook_deliveries_by_time"


def upgrade() -> None:
    op.create_table(
        "api_records",
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("record_id", sa.String(128), primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("updated_at", UTCDateTime, nullable=False),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.String(64), primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String(255),
            sa.ForeignKey("conversations.conversation_id"),
            primary_key=True,
        ),
        sa.Column("event", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("next_attempt_at", UTCDateTime, nullable=False),
        sa.Column("finished_at", UTCDateTime),
        sa.Column("error", sa.String(255)),
        sa.Column("status_code", sa.Integer),
    )
    op.create_index(_INDEX, "webhook_deliveries", ["state", "next_attempt_at"])
    op.create_index("webhook_deliveries_of", "webhook_deliveries", ["conversation_id"])


def downgrade() -> None:
    op.drop_table("webhook_deliveries")
    op.drop_table("api_records")
