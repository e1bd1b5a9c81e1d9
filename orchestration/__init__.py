"""The composition root: settings, command line and Dagster definitions. Decides nothing itself.

Read `settings`, `agents` and `deployment` first. Then the rooms: `operations` (one function for
each thing that can be done), `schedule`, `checks`; `cli` with `terminal`, `server` and `defs`
(Dagster) are three ways to the same functions; `processes`, `demo` and `deploy` run them.
"""
