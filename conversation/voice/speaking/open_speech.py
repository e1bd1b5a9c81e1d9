"""The `voice` section of an agent file -> what speaks."""

import logging
from collections.abc import Callable

from conversation.errors import SpeechError
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SpeechSynthesizer
from conversation.voice.speaking.embedded_voices import embedded_voice_of, open_embedded
from conversation.voice.voice_config import VoiceSection
from kb.weights.folder import Weights

_LOG = logging.getLogger(__name__)


def open_speech(
    voice: VoiceSection,
    *,
    language: str,
    weights: Weights | None = None,
    runner: ModelRunner | None = None,
    secret: Callable[[str], str | None] | None = None,
) -> SpeechSynthesizer:
    """Return what speaks for an agent. Loads the models, so call it from a thread.

    Args:
        voice: Section of the agent file.
        language: Of the agent, e.g. `en`.
        weights: Where embedded voices lie; None for the user's cache folder.
        runner: Threads that the process gives to voice models; None makes some.
        secret: Value of an environment variable; None asks the environment.

    Raises:
        SpeechError: The voice, its engine or the language cannot be used; says what to do.
    """
    model = voice.tts.model
    if model is not None and not model.startswith("embedded/"):
        raise SpeechError(f"{model!r} cannot speak yet; leave `voice.tts.model` out.")
    return open_embedded(
        embedded_voice_of(voice),
        language=language,
        speed=voice.tts.speed,
        weights=weights or Weights(),
        runner=runner or ModelRunner(),
    )
