"""What is posted to others after a conversation, signed and retried."""
