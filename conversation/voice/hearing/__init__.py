"""From sound to words: whether somebody speaks, what was said, and whether that was all."""
