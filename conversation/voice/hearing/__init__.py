"""From sound to words: voice activity, speech to text, and whether a turn is over."""
