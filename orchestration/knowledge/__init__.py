"""Knowledge bases of a deployment: shared between machines, and made again from sources."""
