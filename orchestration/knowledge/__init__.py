"""Knowledge bases of a deployment: what they are read from, read, and made again."""
