"""The encoder of voices, fetched and loaded once in a process."""

from conversation.errors import SpeechError
from conversation.voice.models.shared import load_once
from conversation.voice.speakers.telling_apart import Voices
from conversation.voice.speakers.voice_encoder import VoiceEncoder
from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.voice_models import SPEAKER_ENCODER


def open_voices(weights: Weights | None = None) -> Voices:
    """Return what compares voices. Fetches and loads a model, so call it from a thread.

    Args:
        weights: Where models lie; None for the user's cache folder.

    Raises:
        SpeechError: The model cannot be used; says what to fetch.
    """
    try:
        path = (weights or Weights()).resolve_file(SPEAKER_ENCODER)
    except WeightsError as error:
        raise SpeechError(f"Voices in one channel cannot be told apart. {error}") from error
    return load_once(("voices", path), lambda: VoiceEncoder(path)).voices
