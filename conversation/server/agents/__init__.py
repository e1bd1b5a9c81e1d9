"""Agents on the wire: their bodies, changes, files and versions, and how an agent is shown."""
