"""A conversation in, passages out: queries, word search, relevance, passages, reranking."""
