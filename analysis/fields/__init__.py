"""Data collection: values asked for, read, checked by kind."""
