"""Documents over HTTP: upload, change, look up."""
