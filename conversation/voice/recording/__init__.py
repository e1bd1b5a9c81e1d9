"""The sound of a call on disk: two channels, kept as long as the conversation.

`call_file` is written while the call is held, `kept_calls` is the folder with all of them,
`encoding` makes them smaller, and `silencing` takes out what nobody may hear.
"""
