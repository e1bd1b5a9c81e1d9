"""What an answer states, compared with what stands in the documents, before it is said."""
