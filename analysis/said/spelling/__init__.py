"""Codes, addresses and names that people spell."""
