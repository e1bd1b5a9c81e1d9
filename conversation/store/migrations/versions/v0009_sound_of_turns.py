"""Where spoken turns stand in the sound of their call, and how long the user waited for them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("sound", sa.JSON))


def downgrade() -> None:
    op.drop_column("turns", "sound")
