"""Verdicts by people, and what they say about judges."""
