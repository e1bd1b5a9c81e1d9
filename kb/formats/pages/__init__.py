"""Parsers of pages: HTML, Markdown, MDX."""
