"""Days and times of day as people say them, by language."""
