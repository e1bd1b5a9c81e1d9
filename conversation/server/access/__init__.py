"""Who may do what: keys, signed addresses, secrets, admission to a conversation."""
