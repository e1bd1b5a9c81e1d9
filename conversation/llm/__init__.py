"""Access to language models: `chat_model` is the protocol, `models` opens one by its string.

`litellm_model` reaches every provider. `embedded` is the provider for GGUF weights that run in
this process (`embedded_engine`); `extractive` answers without a model. Around each stand
`reliability` (deadlines, retries), `traffic` (rate limits, shared by the process) and `fallback`
(the next model); `calls` turns what happened into records. `generator` makes the four methods of
the protocol out of one asynchronous stream, on the loop of `background`.
"""
