"""What an agent is: its configuration, its file, its variables, its criteria and fields."""
