"""What is kept: the catalog, the vectors, and what moves from one version to the next."""
