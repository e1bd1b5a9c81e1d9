"""The documents of all agents, and the queue that ingests them."""
