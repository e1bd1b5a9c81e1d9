"""What an agent may do: which tools, with which arguments, run how."""
