"""The recording of a conversation, as webhooks are told of it: MP3 in base64, and bounded."""

import base64
from typing import Any

from conversation.errors import AudioError
from conversation.server.context import ServerContext
from conversation.voice.recording.encoding import can_encode

MAX_BYTES = 64 * 1024 * 1024
"""Of MP3, about two hours of a call; it is sent as one JSON text, which has to fit into memory."""


class NoSoundError(Exception):
    """The recording cannot be sent, and trying again would change nothing."""


def can_send(context: ServerContext) -> bool:
    """Whether this server keeps recordings and can make MP3 of them."""
    return context.recordings is not None and can_encode()


def has_sound(context: ServerContext, conversation_id: str) -> bool:
    """Whether there is a finished recording in which anybody can be heard."""
    kept = context.recordings
    if kept is None or not kept.is_finished(conversation_id):
        return False
    sides = kept.sides(conversation_id)
    return sides is not None and (sides.user or sides.agent)


def sound_data(context: ServerContext, conversation_id: str) -> dict[str, Any]:
    """`data` of a `post_call_audio`; what is masked in the transcript is silent in it.

    Raises:
        UnknownConversationError: There is no such conversation.
        NoSoundError: There is no recording any more, or it is too long.
    """
    agent_id = context.store.transcript(conversation_id).agent_id
    kept = context.recordings
    if kept is None or not kept.has(conversation_id):
        raise NoSoundError("there is no recording any more")
    if not can_encode():
        raise NoSoundError("no MP3 can be made: pip install 'vivavoce[voice]'")
    try:
        listened = kept.listened(conversation_id, context.calls.silent_spans(conversation_id))
        size = listened.path.stat().st_size
        if size > MAX_BYTES:
            raise NoSoundError(f"the recording has {size} bytes; {MAX_BYTES} are sent at most")
        content = listened.path.read_bytes()
    except (AudioError, OSError) as error:
        raise NoSoundError("the recording cannot be read") from error
    return {
        "agent_id": agent_id,
        "conversation_id": conversation_id,
        "full_audio": base64.b64encode(content).decode(),
    }
