"""Criteria: prompts, answers, evidence, windows, panels, what is withheld from a judge."""
