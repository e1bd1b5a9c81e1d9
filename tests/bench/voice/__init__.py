"""Figures of voice calls."""
