"""The `voice` section of an agent file -> what speaks."""

from collections.abc import Callable

from conversation.errors import SpeechError
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SpeechSynthesizer
from conversation.voice.voice_config import EMBEDDED_VOICES, VoiceSection
from kb.weights.folder import Weights


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
    raise SpeechError(
        f"The voice {voice.voice_id!r} cannot be used. Voices: {', '.join(EMBEDDED_VOICES)}."
    )
