"""Whether a judge contradicted itself, and whether it agreed with itself when asked again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("contradiction", sa.String(16)))


def downgrade() -> None:
    # Making the table anew would lose the triggers of migration 8.
    op.drop_column("evaluations", "contradiction")
