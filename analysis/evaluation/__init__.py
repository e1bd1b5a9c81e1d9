"""Conversations into evaluations: planned, estimated, run, tallied."""
