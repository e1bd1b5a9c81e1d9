"""Knowledge bases of a deployment: what they are read from, shared, and made again."""
