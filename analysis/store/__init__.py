"""The append-only store of evaluations, and what has to be deleted from it."""
