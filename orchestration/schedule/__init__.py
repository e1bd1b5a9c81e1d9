"""Which days and agents are due, and why."""
