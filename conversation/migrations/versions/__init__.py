"""Alembic history of the conversation store. Run by `conversation.database` on opening."""
