"""The pipeline of one voice call, between the models' ports and a session.

`ears` cuts sound into frames, `listening` decides what the user does, `answering` lets the session
answer and `mouth` turns its text into paced sound. `conversation.voice.call` puts them together.
Time is that of the running event loop, so that a loop with a time of its own plays a call at once.
"""
