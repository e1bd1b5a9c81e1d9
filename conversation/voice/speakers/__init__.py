"""Whose voice is heard where several share one channel: a guess, and how sure it is."""
