"""Conversations by voice on the socket: their frames, what they mean, and the talk itself."""
