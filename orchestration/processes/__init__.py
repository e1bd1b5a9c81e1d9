"""Processes that run: the UI, workers, runs, Dagster's instance, telemetry."""
