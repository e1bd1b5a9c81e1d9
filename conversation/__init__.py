"""One conversation, live: agent configuration, LLM access, sessions, and the durable store.

Read in this order: `transcript` (the records), `config` and `agent_file` (what an agent is), `llm`
(model access), `retrieving`, `prompting` and `citations` (the decisions of a turn), `session` with
`turn_plan`, `speaking` and `recording` (a turn as it happens), `store` on `database`. Beside them
stand `tools`, `turn_taking` with `driving` (a session and its clock), `simulating` and `importing`.
"""
