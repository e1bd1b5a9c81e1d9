"""Ended conversations in the shape that clients know, and what the composition root adds."""
