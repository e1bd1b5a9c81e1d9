"""The way in: a source planned, loaded in a sandbox, cut into chunks and written."""
