"""Kinds of criteria, one file each, with and without a judge; `known` registers them.

A criterion is decided by code (`rule`, `answered`, `faithfulness`), or a judge is asked about it
(`yes_no`, `scale`). Several judges of one criterion are a `panel`.
"""
