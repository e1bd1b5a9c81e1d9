"""Agents over HTTP: bodies, changes, files, and how an agent is shown."""
