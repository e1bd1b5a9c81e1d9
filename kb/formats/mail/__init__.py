"""Parsers of mail: messages of the internet, and those that Outlook saves."""
