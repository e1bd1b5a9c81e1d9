"""Alembic migrations of the analysis store, with a version table of their own."""
