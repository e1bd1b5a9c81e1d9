"""Migrations of the analysis store, in order."""
