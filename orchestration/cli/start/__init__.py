"""How a command begins and ends: the list of them, what a new user starts with, told errors."""
