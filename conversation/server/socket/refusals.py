"""What a client is told when it asks for what cannot be, and how often. Pure."""

from collections.abc import Sequence

from conversation.server.socket.actions import Action, Ignore, Refuse
from conversation.server.socket.frames import Error, Unreadable, error_frame

MAX_MESSAGE_CHARS = 16_000
"""Of one typed turn or contextual update."""

NO_VOICE = "This agent has no voice and cannot hear you: write to it, or start it with text only."
VOICE_DOWN = "This server cannot hear or speak at the moment: write to the agent instead."
"""Reasons for refusing sound; they fit into the reason of a closing socket."""
TEXT_ONLY = error_frame(
    "value_error", "This conversation is held by text only, as it was asked for: audio is ignored."
)
BAD_SOUND = error_frame(
    "invalid_message", "Audio that is no base64 of the standard alphabet was ignored."
)
MOST_REFUSALS = 20
"""Of different kinds, to a client that does everything wrong."""
_UNREAD = {
    "binary": "A frame was binary; frames are text, and sound is base64 in `user_audio_chunk`",
    "not_json": "A frame was no JSON",
    "not_an_object": "A frame was no JSON object with a `type`",
    "malformed": "A frame has a part that cannot be read",
}
NO_FILES = error_frame(
    "value_error",
    "There are no files of these ids: hand them in first, where the agent takes files. The message "
    "was not read.",
)
FILES_TOO_LONG = error_frame(
    "value_error", "The texts of these files are too long for one message: send fewer at a time."
)
BEGUN_ALREADY = error_frame(
    "value_error",
    "The conversation had begun before: what another initiation asks for is not done.",
)
TOO_LONG = error_frame(
    "invalid_message",
    f"A message may have {MAX_MESSAGE_CHARS} characters at most; this one was ignored.",
)


def nothing_follows(names: Sequence[str]) -> Error:
    """Says that the conversation goes on without what the client asked for under these names."""
    return error_frame(
        "value_error",
        f"The conversation goes on without what has no effect on this server: {', '.join(names)}.",
    )


class Refusals:
    """What one client was told already: the same is not repeated.

    A microphone sends thirty frames a second.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()

    def clear(self) -> None:
        """Forget what was said: another socket has heard nothing yet."""
        self._said.clear()

    def once(self, frame: Error) -> Action:
        """Tell it, unless that was done before."""
        said = frame.error_event.message
        if said in self._said or len(self._said) >= MOST_REFUSALS:
            return Ignore("refused before")
        self._said.add(said)
        return Refuse(frame)

    def unread(self, frame: Unreadable) -> Action:
        """Types that are not known here may be of clients that are newer: those are no mistake."""
        text = _UNREAD.get(frame.reason)
        if text is None:
            return Ignore(frame.reason)
        said = f"{text}: {frame.detail}" if frame.detail else text
        return self.once(error_frame("invalid_message", f"{said}. It was ignored."))
