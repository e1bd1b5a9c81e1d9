"""The agent hears and speaks: ears, turn taking, voice and recording of a call."""
