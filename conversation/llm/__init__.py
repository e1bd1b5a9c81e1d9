"""Access to language models: `chat_model` is the protocol, `models` opens one by its string.

`litellm_model` reaches every provider. `embedded` is the provider for GGUF weights that run in
this process (`embedded_engine`); `extractive` answers without a model. Around each stand
`reliability` (deadlines, retries, rate limits) and `fallback` (the next model); `generator` makes
the four methods of the protocol out of one asynchronous stream, on the loop of `background`.
"""
