"""The pages that people see, and their client."""
