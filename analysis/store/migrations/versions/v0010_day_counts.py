"""What can be wrong with the answers of a day, counted once for each state of the day."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "day_marks", sa.Column("counted", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_table(
        "day_counts",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("counted", sa.String(32), primary_key=True),
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("question_id", sa.String(128), primary_key=True),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("whole", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("day_counts")
    op.drop_column("day_marks", "counted")
