"""One conversation, live: agent configuration, LLM access, sessions, and the durable store.

Read in this order: `transcript` (the records), `config` and `agent_file` (what an agent is), `llm`
(model access), `retrieving`, `prompting`, `tools` and `citations` (the decisions of a turn),
`session` with `stage` (who speaks), `turn_plan` and `carrying_out` (a turn in steps), `speaking`
and `recording` (what came of it), `store` on `database`. Beside them stand `webhook_tools`,
`overrides`, `spoken_text` (for voices), `turn_taking` with `driving` (a session and its clock),
`simulating` and `importing`, and `server` with everything that goes over the network.
"""
