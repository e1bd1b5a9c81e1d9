"""Access to language models: `chat_model` is the protocol, `litellm_model` the way to all of them.

`embedded` runs GGUF weights in this process; `extractive` answers without a model.
"""
