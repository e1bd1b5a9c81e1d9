"""The recording of a conversation, as people may hear it."""

from starlette.responses import FileResponse

from conversation.errors import AudioError
from conversation.server.context import ServerContext
from conversation.server.errors import ApiError
from conversation.transcript import Transcript
from conversation.voice.recording.kept_calls import Sides

NOBODY = Sides(user=False, agent=False)


def sides_of(context: ServerContext, conversation_id: str, status: str) -> Sides:
    """Who can be heard in the recording; nobody while the conversation is being held."""
    if context.recordings is None or status == "in_progress":
        return NOBODY
    return context.recordings.sides(conversation_id) or NOBODY


def recording_answer(context: ServerContext, conversation_id: str) -> FileResponse:
    """The recording as MP3, or a part of it where the request asks for a range.

    What is masked in the transcript is silent in it. Without the voice extra it is a WAV file.

    Raises:
        UnknownConversationError: There is no such conversation.
        ApiError: It has no recording, or is still being held.
    """
    transcript = context.store.transcript(conversation_id)
    kept = context.recordings
    is_held = transcript.status == "in_progress"
    if kept is None or is_held or not kept.has(conversation_id):
        why = _why_none(transcript, keeps=kept is not None)
        message = f"Conversation {conversation_id!r} has no recording{why}"
        raise ApiError(404, "audio_not_found", message)
    try:
        listened = kept.listened(conversation_id, context.calls.silent_spans(conversation_id))
    except AudioError as error:
        raise ApiError(
            500, "audio_unreadable", "The recording cannot be read; the server's log says why."
        ) from error
    name = f"{conversation_id}{listened.path.suffix}"
    return FileResponse(listened.path, media_type=listened.media_type, filename=name)


def _why_none(transcript: Transcript, *, keeps: bool) -> str:
    """The rest of the sentence, and what can be done."""
    if transcript.status == "in_progress":
        return " yet: ask again when it is over."
    if transcript.source == "recording":
        file = transcript.metadata.get("file", "the file")
        return f" here: it was imported, and its sound stays in {file}."
    if not keeps:
        return ": this server keeps none."
    return (
        ": it was held in writing, its agent does not keep recordings (`voice.recording.keep`), or "
        "it was deleted."
    )
