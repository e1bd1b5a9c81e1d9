"""Knowledge base: documents in, passages out. Knows nothing of agents or LLMs.

Read in this order: `document` (the records), `config`, `loading` (file or link to text),
`chunking`, `embedding`, `knowledge_base` (the whole thing behind one object), `retrieval`.
"""
