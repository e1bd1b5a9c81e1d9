"""Tables of every format: one grid, one way to find its column names, one way to write it."""
