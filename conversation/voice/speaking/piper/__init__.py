"""Voices of Piper (VITS), run without Piper: phonemes from `english`, the graph cut in two."""
