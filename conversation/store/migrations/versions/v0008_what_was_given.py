"""What a session was started with: dynamic variables, secrets aside, and overrides."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("given", sa.JSON))


def downgrade() -> None:
    op.drop_column("conversations", "given")
