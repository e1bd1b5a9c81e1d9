"""Lists of kept conversations: their pages, and those that say some words."""
