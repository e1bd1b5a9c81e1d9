"""The demo: documents -> conversation -> evaluations -> report, on sample data, without a key.

Read `running.py` first: it is the whole path, step by step.
"""
