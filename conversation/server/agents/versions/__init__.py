"""Versions of agents: which there were, how two differ, and back to one."""
