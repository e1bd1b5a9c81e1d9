"""How a value that stands in a text was meant: denied, only a bound, asked for, or supposed."""
