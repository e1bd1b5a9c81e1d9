"""This project's own API under `/api/`, beside the protocol of the SDKs: what analysis has found.

`after_calls` gives the protocol's conversations their analysis; `judged`, `labels`, `gaps` and
`reports` are one resource each, and `routers` joins them.
"""
