"""Files that every machine has a copy of."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shared_files",
        sa.Column("folder", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), primary_key=True),
        sa.Column("change", sa.BigInteger, nullable=False, unique=True),
        sa.Column("content", sa.LargeBinary),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.Column("changed_at", UTCDateTime, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("shared_files")
