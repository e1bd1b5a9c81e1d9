"""Routes of agents, their tools and their versions."""
