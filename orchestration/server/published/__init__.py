"""What is published, over HTTP: reports as rows, and the report as a page."""
