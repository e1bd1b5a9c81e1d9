"""Model files by name and digest, and the places that may hold them."""
