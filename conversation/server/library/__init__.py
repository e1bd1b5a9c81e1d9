"""What was handed in: documents, folders, crawls and files, and the queue that ingests them."""
