"""One conversation, live: agent configuration, LLM access, sessions, and the durable store.

Read in this order: `transcript` (the records), `config` (what an agent is), `llm` (model access),
`prompting`, `session`, `store`.
"""
