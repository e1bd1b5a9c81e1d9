"""Knowledge base: documents in, passages out. Knows nothing of agents or LLMs.

Read in this order: `knowledge_base` (the whole thing behind one object), `document` (the records),
`config`. The way in: `syncing`, `ingesting` (source to prepared document), `loading` and
`fetching`, `chunking`, `embedding`, `publishing` (into the catalog), `indexing` (into the vector
index). The way out: `reading`, `query` (what to search for, given the conversation), `retrieval`
(candidates), `scoring`, `passages`. In one process, `precedence` has turns go before an ingest.
"""
