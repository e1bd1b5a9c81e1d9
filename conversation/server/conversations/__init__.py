"""Kept conversations over HTTP: lists, search, tags, details, feedback."""
