"""Keys, signatures and secrets: what they are, how they are kept, and what may not be read."""
