"""The rules of style sheets that a page brings along, taken apart."""
