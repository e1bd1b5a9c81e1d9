"""What is asked across conversations: users, messages, how many are held, which models."""
