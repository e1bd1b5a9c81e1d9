"""How long, how often and how many at once models are asked, and who is asked next."""
