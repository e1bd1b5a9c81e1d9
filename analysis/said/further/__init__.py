"""Whole numbers in words of further languages, by CLDR's rules: only what is certain is read."""
