"""Which sentences of texts fit a question."""
