"""What a dynamic variable may be, and which names are taken."""

VariableValue = str | int | float | bool
SYSTEM_PREFIX = "system__"
"""Of variables that the session fills in."""
SECRET_PREFIX = "secret__"  # noqa: S105
"""Of secrets: they go into headers of webhooks and nowhere else."""
RESERVED_PREFIXES = (SYSTEM_PREFIX, SECRET_PREFIX)
