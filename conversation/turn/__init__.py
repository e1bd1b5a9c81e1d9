"""One turn: prepared, planned, carried out, said, and finished as a record."""
