"""Text into vectors: what an embedder is (`embedder`), the adapters, those registered (`known`)."""
