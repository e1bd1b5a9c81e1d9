"""Files that users handed in and have not said yet, for whichever server holds the conversation."""

import sqlalchemy as sa
from alembic import op

from conversation.store.database import UTCDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEX = "ix_handed_in_files_conversation_id"


def upgrade() -> None:
    op.create_table(
        "handed_in_files",
        sa.Column("file_id", sa.String(64), primary_key=True),
        sa.Column(
            "conversation_id",
            sa.String(255),
            sa.ForeignKey("conversations.conversation_id"),
            nullable=False,
        ),
        sa.Column("name", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("left_out_chars", sa.Integer, nullable=False),
        sa.Column("handed_in_at", UTCDateTime, nullable=False),
    )
    op.create_index(_INDEX, "handed_in_files", ["conversation_id"])


def downgrade() -> None:
    op.drop_table("handed_in_files")
