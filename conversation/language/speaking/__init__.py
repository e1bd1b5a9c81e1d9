"""What is read aloud by rules of its own: identifiers, and amounts in the words of each locale."""
