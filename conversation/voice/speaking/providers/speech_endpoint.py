"""Where a provider's voice is asked, with which key, and what may be set there."""

from collections.abc import Callable
from dataclasses import dataclass

from conversation.agent.models.voice_config import EMBEDDED_VOICES
from conversation.errors import SpeechError

SAMPLE_RATE_HZ = 24_000
"""Of all voices of providers: most make sound at this rate, all others are brought to it."""
_USUAL_KEYS = {"openai": "OPENAI_API_KEY", "elevenlabs": "ELEVENLABS_API_KEY"}
_DEFAULT_VOICES = {"openai": "alloy"}
_KNOW_SPEED = ("openai", "elevenlabs", "azure", "minimax", "vertex_ai")


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How a voice speaks; None leaves it to the provider."""

    speed: float = 1.0
    stability: float | None = None
    similarity_boost: float | None = None
    style: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechEndpoint:
    """One voice of one model of one provider."""

    provider: str
    model: str
    """Without the provider."""
    voice: str
    api_base: str | None
    key: str | None
    key_name: str
    """Of the variable that holds the key, for messages."""
    settings: VoiceSettings

    @property
    def name(self) -> str:
        """The model string with the voice, e.g. `openai/tts-1:alloy`."""
        return f"{self.provider}/{self.model}:{self.voice}"


def speech_endpoint(
    model: str,
    *,
    voice: str,
    api_base: str | None,
    key_variable: str | None,
    settings: VoiceSettings,
    secret: Callable[[str], str | None],
) -> SpeechEndpoint:
    """What a model string and its settings mean.

    Raises:
        SpeechError: A key is missing, the voice is not named, or a setting would do nothing.
    """
    provider, _, its = model.partition("/")
    _require_that_settings_work(provider, model, settings)
    wanted = _DEFAULT_VOICES.get(provider, "") if voice == "default" else voice
    if not wanted or wanted in EMBEDDED_VOICES:
        raise SpeechError(
            f"{model!r} needs the name of one of its voices in `voice_id`; "
            + ("none is given." if not wanted else f"{wanted!r} is an embedded voice.")
        )
    usual = _USUAL_KEYS.get(provider, f"{provider.upper()}_API_KEY")
    key = secret(key_variable or usual)
    needs_key = key_variable is not None or (api_base is None and provider in _USUAL_KEYS)
    if not key and needs_key:
        raise SpeechError(
            f"The voice of {model!r} needs {key_variable or usual} in the environment. Set it, or "
            "choose an embedded voice, which needs no key."
        )
    return SpeechEndpoint(provider, its, wanted, api_base, key, key_variable or usual, settings)


def supported(settings: VoiceSettings, provider: str) -> VoiceSettings:
    """What of `settings` a provider knows: the rest is meant for another voice of the agent."""
    if provider == "elevenlabs":
        return settings
    return VoiceSettings(speed=settings.speed if provider in _KNOW_SPEED else 1.0)


def _require_that_settings_work(provider: str, model: str, settings: VoiceSettings) -> None:
    known = supported(settings, provider)
    for name in ("speed", "stability", "similarity_boost", "style"):
        if getattr(known, name) != getattr(settings, name):
            raise SpeechError(
                f"`voice.tts.{name}` does nothing for {model!r}: that provider has no such "
                "setting. Leave it out, or choose another model."
            )
