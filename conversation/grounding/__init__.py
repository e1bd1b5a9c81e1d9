"""Passages for a turn and citations of its answer."""
