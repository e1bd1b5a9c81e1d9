"""Scores, and the votes of panels."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("score", sa.Float))
    for table in ("evaluations", "collected_values"):
        op.add_column(table, sa.Column("votes", sa.JSON))
        op.add_column(table, sa.Column("agreement", sa.Float))


def downgrade() -> None:
    for table in ("evaluations", "collected_values"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("agreement")
            batch.drop_column("votes")
    with op.batch_alter_table("evaluations") as batch:
        batch.drop_column("score")
