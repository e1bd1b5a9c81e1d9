"""Conversations over the network: HTTP routes, and a WebSocket that published client SDKs speak.

Read in this order: `protocol` (the frames), `dialogue` (what a frame means, pure), `talking` (one
conversation on a socket), `websocket` (who gets to talk); then `signing`, `api_keys` and `access`
(who may do what), `limits`, `edge` (headers, sizes, the access log), and `app`, which joins the
routers of `routes/`. A resource is one module there; what routers share is `access`, `errors` and
`pagination`. Nothing here decides what an agent says: sessions do.

Ended conversations: `conversation_models` (their shape on the wire), `conversation_views` (a stored
one in that shape, pure), `conversation_search`; `after_calls` is what the composition root adds,
as this package knows no judges. Webhooks: `webhook_rules` (pure), `webhook_deliveries` (the queue),
`webhook_sending` (the threads); `workspace` and `records` keep what only the API makes,
`stored_secrets` what nobody may see.

Agents and documents: `agent_records` (the YAML files), `agent_wire` and `agent_changes` (an agent
in the protocol's shape and back, pure), `agent_documents` (its documents by id, pure), `library`
(what was handed in), `ingest_queue` and `ingestion` (reading it in the background), and
`authoring`, which joins them for the routes; `document_reading` shows those of agent files as well.
"""
