"""Sections of an agent file about sound: which voice speaks, what it hears with, when it yields."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

EMBEDDED_VOICES = {"joe": "embedded/piper", "heart": "embedded/kokoro"} | dict.fromkeys(
    ("michael", "emma", "george", "bella", "dora", "alex"), "embedded/kokoro"
)
"""Voices that need no provider, and the engine of each."""
LANGUAGES_OF_VOICES: dict[str, str] = dict.fromkeys(("dora", "alex"), "es")
"""Of embedded voices; what stands not here speaks English."""
DEFAULT_VOICE = "joe"
DEFAULT_EAR = "embedded/whisper-base"
VOICE_FILE_SUFFIX = ".onnx"

AudioFormat = Literal[
    "pcm_8000",
    "pcm_16000",
    "pcm_22050",
    "pcm_24000",
    "pcm_44100",
    "pcm_48000",
    "ulaw_8000",
]
Eagerness = Literal["patient", "normal", "eager"]
ModelString = Annotated[str, Field(pattern=r"^[a-z0-9_]+/\S+$")]


SaidByItself = str | dict[str, str]
"""A text, or one for each language that the agent speaks, by code."""
KeyVariable = str | None
_KEY_VARIABLE: KeyVariable = Field(
    default=None, validation_alias=AliasChoices("api_key_variable", "api_key_env")
)
"""Written by either name, as it is of every other model."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Endpoint(_Section):
    model: ModelString
    api_base: str | None = None
    """None takes the provider's own address."""
    api_key_variable: KeyVariable = _KEY_VARIABLE
    """Environment variable that holds the key; None takes the provider's usual one."""


class SpeechFallback(_Endpoint):
    """Another model that is asked when those before it failed."""

    voice_id: str | None = None
    """None takes the agent's own."""


class TextToSpeechSection(_Section):
    """What speaks."""

    model: ModelString | None = None
    """None takes the engine of an embedded voice; else `provider/model`, e.g. `openai/tts-1`."""
    speed: float = Field(default=1.0, ge=0.7, le=1.2)
    stability: float | None = Field(default=None, ge=0, le=1)
    similarity_boost: float | None = Field(default=None, ge=0, le=1)
    style: float | None = Field(default=None, ge=0, le=1)
    """These three are settings of ElevenLabs; with any other model they are refused."""
    api_base: str | None = None
    api_key_variable: KeyVariable = _KEY_VARIABLE
    fallbacks: tuple[SpeechFallback, ...] = ()

    @model_validator(mode="after")
    def _settings_do_something(self) -> Self:
        models = [self.model or "", *(fallback.model for fallback in self.fallbacks)]
        if any(model.startswith("elevenlabs/") for model in models):
            return self
        for name in ("stability", "similarity_boost", "style"):
            if getattr(self, name) is not None:
                raise ValueError(f"`{name}` does nothing without a model `elevenlabs/...`")
        return self


class SpeechToTextSection(_Section):
    """What hears."""

    model: ModelString = DEFAULT_EAR
    keywords: tuple[str, ...] = Field(default=(), max_length=50)
    """Names and words that are likely to be said."""
    tentative: bool = True
    """Whether words are shown while the user still speaks; that costs about a third of a core."""
    api_base: str | None = None
    api_key_variable: KeyVariable = _KEY_VARIABLE
    fallbacks: tuple[_Endpoint, ...] = ()


class VoiceTurnSection(_Section):
    """When the agent takes and yields the turn."""

    eagerness: Eagerness = "normal"
    interruptions: bool = True
    """Whether the user may talk over the agent."""
    first_message_interruptible: bool = True
    ignore_terms: tuple[str, ...] = ()
    """What does not interrupt when it is said alone, beside the usual ones of the language."""
    merge_with_default_ignore_terms: bool = True
    soft_timeout_s: float | None = Field(default=None, gt=0, le=30)
    """Silence after which `soft_timeout_message` is said while a slow model thinks."""
    soft_timeout_message: SaidByItself = ""
    """Empty takes a sentence of the language that is spoken."""


class RecordingSection(_Section):
    """What is kept of the sound."""

    keep: bool = True
    announce: SaidByItself = ""
    """Said before the first message where callers must be told that they are recorded."""


class VoiceSection(_Section):
    """That the agent is heard: its text is written, and rewritten, for being spoken."""

    voice_id: str = "default"
    """An embedded voice, the path of a Piper `.onnx` (relative to the agent file), or as the
    provider names its voices."""
    tts: TextToSpeechSection = TextToSpeechSection()
    stt: SpeechToTextSection = SpeechToTextSection()
    input_format: AudioFormat = "pcm_16000"
    """Of the user's microphone as clients send it."""
    output_format: AudioFormat = "pcm_16000"
    turn: VoiceTurnSection = VoiceTurnSection()
    recording: RecordingSection = RecordingSection()

    @property
    def embedded_voice(self) -> str:
        """The embedded voice that speaks, or that speaks where nobody knows `voice_id`."""
        return self.embedded_voice_for("en")

    def embedded_voice_for(self, language: str) -> str:
        """As `embedded_voice`, where the agent speaks `language`, e.g. `es-MX`."""
        if self.voice_id in EMBEDDED_VOICES:
            return self.voice_id
        return next(iter(voices_speaking(language)), DEFAULT_VOICE)

    def own_texts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Where each text stands that the agent says by itself in a call, and what it is."""
        for path in _OWN_TEXTS:
            told: SaidByItself = getattr(getattr(self, path[0]), path[1])
            if isinstance(told, str):
                yield path, told
            else:
                yield from (((*path, code), text) for code, text in told.items())

    def with_own_texts(self, changed: Callable[[str, str], str]) -> Self:
        """As this section, with what `changed(text, where)` makes of each of these texts."""
        sections: dict[str, object] = {}
        for section, name in _OWN_TEXTS:
            told: SaidByItself = getattr(getattr(self, section), name)
            where = f"voice.{section}.{name}"
            made = (
                changed(told, where)
                if isinstance(told, str)
                else {code: changed(text, f"{where}.{code}") for code, text in told.items()}
            )
            sections[section] = getattr(self, section).model_copy(update={name: made})
        return self.model_copy(update=sections)

    def beside(self, folder: Path) -> Self:
        """As this section, in an agent file of `folder`: paths of voices begin there."""
        fallbacks = tuple(
            told.model_copy(
                update={"voice_id": told.voice_id and _path_from(folder, told.voice_id)}
            )
            for told in self.tts.fallbacks
        )
        tts = self.tts.model_copy(update={"fallbacks": fallbacks})
        voice_id = _path_from(folder, self.voice_id)
        return self.model_copy(update={"tts": tts, "voice_id": voice_id})


_OWN_TEXTS = (("turn", "soft_timeout_message"), ("recording", "announce"))


def said_in(told: SaidByItself, language: str) -> str:
    """What is said where `language` is spoken: the first text where none is in that language."""
    if isinstance(told, str):
        return told
    by_base = {base_language(code): text for code, text in reversed(told.items())}
    first = next(iter(told.values()), "")
    return told.get(language) or by_base.get(base_language(language), first)


def language_of_voice(voice: str) -> str:
    """What an embedded voice, or one whose path is given, speaks."""
    return LANGUAGES_OF_VOICES.get(voice, "en")


def voices_speaking(language: str) -> list[str]:
    """Embedded voices that speak a language, the usual one first."""
    base = base_language(language)
    return [name for name in EMBEDDED_VOICES if language_of_voice(name) == base]


def base_language(language: str) -> str:
    """E.g. `es` for `es-MX` or `ES_mx`."""
    return language.replace("_", "-").partition("-")[0].lower()


def _path_from(folder: Path, voice_id: str) -> str:
    is_path = voice_id.endswith(VOICE_FILE_SUFFIX)
    return str(folder / Path(voice_id).expanduser()) if is_path else voice_id
