"""Configuration, passages and turns into messages within a budget."""
