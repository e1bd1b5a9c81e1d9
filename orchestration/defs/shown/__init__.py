"""What Dagster shows of an asset: schemas, lineage, metadata."""
