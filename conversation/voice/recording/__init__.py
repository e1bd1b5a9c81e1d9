"""The sound of a call on disk: two channels, kept as long as the conversation."""
