"""Every version that agents had, so that conversations name one and people go back to one."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_versions",
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version_id", sa.String(64), nullable=False),
        sa.Column("made_at", UTCDateTime, nullable=False),
        sa.Column("made_by", sa.String(128), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("sent", sa.JSON),
    )
    op.create_table(
        "agent_version_bodies",
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("version_id", sa.String(64), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("agent_version_bodies")
    op.drop_table("agent_versions")
