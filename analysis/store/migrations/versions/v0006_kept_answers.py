"""Answers of judges between two questions about a conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_answers",
        sa.Column("conversation_id", sa.String(255), primary_key=True),
        sa.Column("answer_key", sa.String(64), primary_key=True),
        sa.Column("completion", sa.JSON, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("kept_answers")
