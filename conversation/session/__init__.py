"""A conversation of turns: live, driven by a clock, simulated, replayed."""
