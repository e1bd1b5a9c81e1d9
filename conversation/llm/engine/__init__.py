"""What an engine in this process keeps of prompts, so that none is read twice.

`server` is the edge to llama.cpp. `slots` decides where a request runs: each slot still holds the
prompt of the request before. `prompt_state` are beginnings of prompts that were read once and lie
on disk since; `prompt_memory` is what sessions and commands ask for them.
"""
