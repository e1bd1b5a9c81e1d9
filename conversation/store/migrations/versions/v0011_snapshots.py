"""Snapshots of knowledge bases that several machines share, and the pointer to the live one."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kb_pointers",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("snapshot_id", sa.String(64)),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(255)),
        sa.Column("lease_token", sa.String(32)),
        sa.Column("lease_beats", sa.Integer, nullable=False),
    )
    op.create_table(
        "kb_snapshots",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("snapshot_id", sa.String(64), primary_key=True),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("made_at", UTCDateTime, nullable=False),
        sa.Column("index_version", sa.Integer, nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("chunks", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("replaced_at", UTCDateTime),
        sa.Column("withdrawn_at", UTCDateTime),
    )


def downgrade() -> None:
    op.drop_table("kb_snapshots")
    op.drop_table("kb_pointers")
