"""Changes of agent files that people wrote: their words around the settings stay."""
