"""The live socket: frames, initiation, dialogue."""
