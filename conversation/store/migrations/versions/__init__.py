"""Alembic history of the conversation store. Run by `conversation.store.database` on opening."""
