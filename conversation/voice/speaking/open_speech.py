"""The `voice` section of an agent file -> what speaks."""

import logging
from collections.abc import Callable, Sequence

from conversation.agent.models.voice_config import (
    EMBEDDED_VOICES,
    SpeechFallback,
    VoiceSection,
    base_language,
    language_of_voice,
    voices_speaking,
)
from conversation.errors import SpeechError
from conversation.voice.models.runner import ModelRunner
from conversation.voice.models.shared import shared_runner
from conversation.voice.ports import SpeechSynthesizer
from conversation.voice.speaking.embedded_speech import EmbeddedSpeech, require_language
from conversation.voice.speaking.embedded_voices import (
    embedded_voice_of,
    fetch_embedded,
    open_embedded,
    sample_rate_of,
)
from conversation.voice.speaking.fallback_speech import FallbackSpeech
from conversation.voice.speaking.late_speech import LateSpeech
from conversation.voice.speaking.providers.elevenlabs_speech import ElevenLabsSpeech
from conversation.voice.speaking.providers.litellm_speech import LiteLLMSpeech
from conversation.voice.speaking.providers.openai_speech import OpenAISpeech
from conversation.voice.speaking.providers.speech_endpoint import (
    SpeechEndpoint,
    VoiceSettings,
    speech_endpoint,
    supported,
)
from conversation.voice.speaking.speech_by_language import SpeechByLanguage
from kb.weights.folder import Weights

_LOG = logging.getLogger(__name__)

EMBEDDED = "embedded/"
_STREAMED = {"openai": OpenAISpeech, "elevenlabs": ElevenLabsSpeech}


def open_speech(
    voice: VoiceSection,
    *,
    language: str,
    further_languages: Sequence[str] = (),
    weights: Weights | None = None,
    runner: ModelRunner | None = None,
    secret: Callable[[str], str | None] | None = None,
) -> SpeechSynthesizer:
    """Return what speaks for an agent. Loads the models, so call it from a thread.

    A provider's voice is followed by its fallbacks and, where one speaks the language, by an
    embedded voice, which is loaded when it is needed first.

    Args:
        voice: Section of the agent file.
        language: Of the agent, e.g. `en`.
        further_languages: That it can switch to. Beside an embedded voice another one speaks them,
            where there is one; of others the log tells, and calls in `language` go well.
        weights: Where embedded voices lie; None for the user's cache folder.
        runner: Threads that the process gives to voice models; None for those that all calls
            share.
        secret: Value of an environment variable; None asks the environment.

    Raises:
        SpeechError: The voice, its engine or the language cannot be used; says what to do.
    """
    opener = _Opener(voice, language, weights or Weights(), runner or shared_runner(), secret)
    voices = [opener.first(), *map(opener.fallback, voice.tts.fallbacks)]
    is_embedded = isinstance(voices[0], EmbeddedSpeech)
    if isinstance(voices[0], EmbeddedSpeech) and len(voices) == 1:
        others = opener.others(voices[0], further_languages)
        return SpeechByLanguage(voices[0], others) if others else voices[0]
    last = None if is_embedded else opener.last()
    voices += [last] if last is not None else []
    return FallbackSpeech(voices) if len(voices) > 1 else voices[0]


class _Opener:
    def __init__(
        self,
        voice: VoiceSection,
        language: str,
        weights: Weights,
        runner: ModelRunner,
        secret: Callable[[str], str | None] | None,
    ) -> None:
        self._voice = voice
        self._language = language
        self._weights = weights
        self._runner = runner
        self._secret = secret or _from_environment
        tts = voice.tts
        self._settings = VoiceSettings(tts.speed, tts.stability, tts.similarity_boost, tts.style)

    def first(self) -> SpeechSynthesizer:
        """What the agent file names."""
        tts = self._voice.tts
        if tts.model is None or tts.model.startswith(EMBEDDED):
            return self._embedded(embedded_voice_of(self._voice, self._language))
        return _of_provider(
            speech_endpoint(
                tts.model,
                voice=self._voice.voice_id,
                api_base=tts.api_base,
                key_variable=tts.api_key_variable,
                settings=self._settings,
                secret=self._secret,
            )
        )

    def fallback(self, told: SpeechFallback) -> SpeechSynthesizer:
        """One of those that follow."""
        voice_id = told.voice_id or self._voice.voice_id
        if told.model.startswith(EMBEDDED):
            tts = self._voice.tts.model_copy(update={"model": told.model})
            known = voice_id if voice_id in EMBEDDED_VOICES or told.voice_id else "default"
            section = self._voice.model_copy(update={"tts": tts, "voice_id": known})
            return self._embedded(embedded_voice_of(section, self._language))
        return _of_provider(
            speech_endpoint(
                told.model,
                voice=voice_id,
                api_base=told.api_base,
                key_variable=told.api_key_variable,
                settings=supported(self._settings, told.model.partition("/")[0]),
                secret=self._secret,
            )
        )

    def last(self) -> SpeechSynthesizer | None:
        """The embedded voice, where it speaks the language and its files can be had."""
        name = self._voice.embedded_voice_for(self._language)
        try:
            require_language(self._language, name, speaks=language_of_voice(name))
            fetch_embedded(name, self._weights)
        except SpeechError as error:
            _LOG.warning("no embedded voice speaks when providers fail: %s", error)
            return None
        return self._late(name, self._language)

    def others(
        self, voice: EmbeddedSpeech, languages: Sequence[str]
    ) -> dict[str, SpeechSynthesizer]:
        """Embedded voices for what `voice` does not speak; what none speaks is told in the log."""
        found: dict[str, SpeechSynthesizer] = {}
        for language in languages:
            base = base_language(language)
            if base == voice.language or base in found:
                continue
            name = next(iter(voices_speaking(base)), None)
            try:
                if name is None:
                    require_language(language, voice.name, speaks=voice.language)
                    continue
                fetch_embedded(name, self._weights)
                found[base] = self._late(name, base)
            except SpeechError as error:
                _LOG.warning("nothing will be said in %r: %s", language, error)
        return found

    def _late(self, name: str, language: str) -> LateSpeech:
        """An embedded voice that is loaded when it is needed first."""
        return LateSpeech(
            f"{EMBEDDED_VOICES[name]}:{name}",
            lambda: self._embedded(name, language),
            sample_rate_hz=sample_rate_of(name),
            runner=self._runner,
        )

    def _embedded(self, name: str, language: str | None = None) -> EmbeddedSpeech:
        return open_embedded(
            name,
            language=language or self._language,
            speed=self._voice.tts.speed,
            weights=self._weights,
            runner=self._runner,
        )


def _of_provider(endpoint: SpeechEndpoint) -> SpeechSynthesizer:
    return _STREAMED.get(endpoint.provider, LiteLLMSpeech)(endpoint)


def _from_environment(name: str) -> str | None:
    """As for language models: litellm asks the environment, or the vault that it was told of."""
    from conversation.llm.providers.litellm_model import load_litellm

    return load_litellm().get_secret_str(name)
