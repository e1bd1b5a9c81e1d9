"""When the user has finished, when they interrupt, and what was heard. Pure, over audio time."""
