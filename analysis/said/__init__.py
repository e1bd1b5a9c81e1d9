"""What was said, read in code: the language, numbers, and the form in which words are compared."""
