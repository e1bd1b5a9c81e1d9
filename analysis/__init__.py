"""Finished conversations in, evaluations and reports out. The only importer of duckdb.

Read in this order: `results` (the records), `evidence` (quotes checked in code), `evaluation` (one
conversation), `judging` and `scoring` (criteria), `data_collection` (fields), `withholding` (what a
user says to the judge), `panel` (several judges), `store` (append-only, versioned), `planning`,
`estimating` and `evaluating` (many conversations), `warehouse_tables` (the data dictionary),
`warehouse` (Parquet and the published file), `reports`,
`lineage` (where a number comes from), `calibration` (how far it can be believed), `labelling`
(verdicts by people), `pii`, `redaction` and `privacy` (what judges and reports do not get to see),
`forgetting` (deletion), `clustering`, `topics`, `gaps` and `impact` (what to improve).
"""
