"""Lists of one agent's conversations without sorting all of them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEX = "conversations_of_agent_as_listed"


def upgrade() -> None:
    op.create_index(_INDEX, "conversations", ["agent_id", "listed_at", "conversation_id"])


def downgrade() -> None:
    op.drop_index(_INDEX, "conversations")
