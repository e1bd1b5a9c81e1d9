"""Agents and documents that are made over the network."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_notes",
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("sent", sa.JSON, nullable=False),
    )
    op.create_table(
        "library_documents",
        sa.Column("document_id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("detail", sa.Text),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("updated_at", UTCDateTime, nullable=False),
        sa.Column("owner", sa.String(255)),
    )
    op.create_index("library_documents_by_status", "library_documents", ["status", "created_at"])
    op.create_table(
        "agent_syncs",
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("requested_at", UTCDateTime, nullable=False),
        sa.Column("finished_at", UTCDateTime),
        sa.Column("owner", sa.String(255)),
    )


def downgrade() -> None:
    for table in ("agent_syncs", "library_documents", "agent_notes"):
        op.drop_table(table)
