"""What commands, assets and routes do: one function an operation."""
