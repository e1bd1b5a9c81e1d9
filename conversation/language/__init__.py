"""Words of languages: sentences, numbers, dates and addresses as they are spoken."""
