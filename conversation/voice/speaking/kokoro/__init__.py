"""Voices of Kokoro (82 million parameters, Apache-2.0), with phonemes from `english`."""
