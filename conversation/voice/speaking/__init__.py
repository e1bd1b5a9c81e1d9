"""From words to sound: pronunciation, voices, and providers of speech."""
