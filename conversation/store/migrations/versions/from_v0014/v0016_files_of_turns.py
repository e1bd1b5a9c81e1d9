"""The files that came with a user's turn."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("turns", sa.Column("files", sa.JSON))
    op.add_column("handed_in_files", sa.Column("mime_type", sa.String(128)))


def downgrade() -> None:
    op.drop_column("handed_in_files", "mime_type")
    op.drop_column("turns", "files")
