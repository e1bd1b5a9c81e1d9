"""The composition root: settings, command line and Dagster definitions. Decides nothing itself.

Read in this order: `settings`, `agents`, `cli`, `definitions`, `defs`.
"""
