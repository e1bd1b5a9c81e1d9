"""Voices of providers: streamed over HTTP where they stream, else a clause at a time."""
