"""Finished conversations in, evaluations and reports out. The only importer of duckdb.

Read in this order: `results` (the records), `evidence` (quotes checked in code), `evaluation`,
`store` (append-only, versioned), `warehouse` (Parquet and the published file), `reports`.
"""
