"""Text into vectors: what an embedder is (`embedder`), the adapters, which one is meant."""
