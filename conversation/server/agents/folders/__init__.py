"""Agents that answer from folders: what lies in them, and what follows when that changes."""
