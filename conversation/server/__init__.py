"""Conversations over the network: HTTP routes, and a WebSocket that published client SDKs speak.

Read it from below. `errors`, `records`, `limits`, `pagination` and `incoming` are what all rooms
use. `socket` is the protocol: its frames, what a frame means (pure), one conversation as it is
talked. `keys` are keys, signatures and secrets, `ended` an ended conversation as clients see it,
`library` what was handed in, `agents` an agent in the protocol's shape, its file, and how both are
changed (`authoring` joins them). `context` holds one server's parts.

Above `context` stand the routes, which know nothing of each other but what is said here: `access`
(who may do what) below `talks` (who gets to talk on a socket), `agent_routes`, `documents` and
`conversations`; `overview`, `webhooks` and `agent_tests` also look at ended conversations. `app`
joins them all, behind `edge` (headers, sizes, the access log). Nothing here decides what an agent
says: sessions do.
"""
