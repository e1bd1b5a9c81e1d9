"""Adapters: litellm, the embedded models, the extractive one, and their forms of answers."""
