"""Runs inside Alembic; the caller hands over its connection."""

from alembic import context

from conversation.store.database import run_migrations

run_migrations(context.config.attributes["schema"], context.config.attributes["connection"])
