"""What judges, and people who label, are shown of a conversation, and what is withheld."""
