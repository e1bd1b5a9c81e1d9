"""Who gets to talk on a socket, and one conversation on it from the first frame to the last."""
