"""Parsers of data files: CSV, JSON, XML, archives."""
