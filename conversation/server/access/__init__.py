"""Who may do what: admission of requests, signed addresses, secrets that are handed in."""
