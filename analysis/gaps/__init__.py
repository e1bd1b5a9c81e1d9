"""What callers asked that the documents do not say, and whether a change closed it."""
