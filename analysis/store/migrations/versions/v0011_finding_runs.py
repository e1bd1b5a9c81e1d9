"""What the last run over an agent's conversations was asked, and the texts that topics tell of."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding_runs",
        sa.Column("agent_id", sa.String(128), primary_key=True),
        sa.Column("finding", sa.String(16), primary_key=True),
        sa.Column("asked", sa.String(64), nullable=False),
        sa.Column("result", sa.String(64), nullable=False),
        sa.Column("model_id", sa.String(255), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
    )
    # NULL until the next run, which reads every conversation once more.
    op.add_column("conversation_topics", sa.Column("text", sa.Text))


def downgrade() -> None:
    op.drop_column("conversation_topics", "text")
    op.drop_table("finding_runs")
