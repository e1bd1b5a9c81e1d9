"""Frames of voice conversations, to the client. Models of the protocol, nothing else."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Alignment(_Named):
    """When each character of a piece of sound is said, from the beginning of the piece."""

    chars: tuple[str, ...]
    char_start_times_ms: tuple[int, ...]
    char_durations_ms: tuple[int, ...]


class AudioEvent(_Named):
    """A piece of the agent's voice."""

    audio_base_64: str
    event_id: int
    alignment: Alignment | None = None

    @model_serializer(mode="wrap")
    def _without_null(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """A published client ends its session at an alignment that is null."""
        found = handler(self)
        if found["alignment"] is None:
            del found["alignment"]
        return found


class Audio(_Named):
    """Played as it comes, in the format that the metadata named."""

    type: Literal["audio"] = "audio"
    audio_event: AudioEvent


class TranscriptionEvent(_Named):
    """What the user said."""

    user_transcript: str
    event_id: int


class UserTranscript(_Named):
    """A spoken turn of the user. Typed ones are never repeated: clients would show them twice."""

    type: Literal["user_transcript"] = "user_transcript"
    user_transcription_event: TranscriptionEvent


class TentativeUserTranscript(_Named):
    """What the user seems to say; the rest of the turn may change it."""

    type: Literal["tentative_user_transcript"] = "tentative_user_transcript"
    tentative_user_transcription_event: TranscriptionEvent


class VadScoreEvent(_Named):
    """How likely the user speaks, 0 to 1."""

    vad_score: float


class VadScore(_Named):
    """For the client's display."""

    type: Literal["vad_score"] = "vad_score"
    vad_score_event: VadScoreEvent


SoundFrame = Audio | UserTranscript | TentativeUserTranscript | VadScore
