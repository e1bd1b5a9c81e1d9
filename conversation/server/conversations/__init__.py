"""Kept conversations over HTTP: lists, search, details, feedback."""
