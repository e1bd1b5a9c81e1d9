"""Dagster's view of the work: assets, checks and automation over plain functions.

knowledge_base    documents -> chunk_index, prompt_state              by agent
conversations     ended_conversations -> evaluations -> report_tables by day (UTC end date)
reports           reports                                             the published file
"""
