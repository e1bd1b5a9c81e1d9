"""How an agent shows itself on pages: the `widget` section of an agent file."""
