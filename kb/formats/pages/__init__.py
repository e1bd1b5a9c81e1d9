"""Parsers of pages: HTML, Markdown, MDX, mail."""
