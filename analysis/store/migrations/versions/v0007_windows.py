"""What was found in each part of a conversation that its judge could not read at once."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("windows", sa.JSON))


def downgrade() -> None:
    with op.batch_alter_table("evaluations") as batch:
        batch.drop_column("windows")
