"""What is said in place of an answer that the documents do not carry."""
