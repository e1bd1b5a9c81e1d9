"""Conversations from elsewhere: files, records of other platforms, roles."""
