"""What is asked across conversations: users, tags, messages, how many are held, which models."""
