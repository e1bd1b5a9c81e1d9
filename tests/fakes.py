"""Fakes for the edge of the world: language models, clocks, networks. Always injected."""
