"""Evaluations and turns into Parquet, DuckDB and DuckLake."""
