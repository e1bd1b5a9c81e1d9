"""Names and paths of embedded voices -> loaded voices."""

import logging
from pathlib import Path

from conversation.agent.models.voice_config import (
    EMBEDDED_VOICES,
    VOICE_FILE_SUFFIX,
    VoiceSection,
    language_of_voice,
    voices_speaking,
)
from conversation.errors import SpeechError
from conversation.voice.models.runner import ModelRunner
from conversation.voice.models.shared import load_once
from conversation.voice.speaking.by_rule.spanish import open_spanish
from conversation.voice.speaking.embedded_speech import EmbeddedSpeech, require_language
from conversation.voice.speaking.english.pronouncing import EnglishSpeaker, open_english
from conversation.voice.speaking.kokoro.kokoro_voice import (
    SAMPLE_RATE_HZ as KOKORO_RATE_HZ,
)
from conversation.voice.speaking.kokoro.kokoro_voice import (
    KokoroVoice,
    open_network,
    read_style,
)
from conversation.voice.speaking.piper.piper_voice import open_piper
from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.voice_models import (
    ENGLISH_LETTERS_TO_SOUNDS,
    ENGLISH_PRONUNCIATIONS,
    KOKORO,
    KOKORO_SPANISH_VOICES,
    KOKORO_VOICES,
    PIPER_JOE,
)

_LOG = logging.getLogger(__name__)

PIPER, KOKORO_ENGINE = "embedded/piper", "embedded/kokoro"
_KOKORO_FILES = {
    "heart": "af_heart", "bella": "af_bella", "michael": "am_michael", "emma": "bf_emma",
    "george": "bm_george", "dora": "ef_dora", "alex": "em_alex",
}  # fmt: skip
_JOE_FILE = "en_US-joe-medium.onnx"
_NETWORK, _VOCABULARY = "kokoro-v1.0.int8.onnx", "vocab.json"
_JOE_RATE_HZ = 22_050
_CACHE = "piper-parts"


def embedded_voice_of(voice: VoiceSection, language: str = "en") -> str:
    """Name or path of the embedded voice that an agent file asks for.

    Args:
        voice: Its section.
        language: Of the agent, which the usual voice speaks where one can.

    Raises:
        SpeechError: The engine does not have the voice.
    """
    engine, wanted = voice.tts.model, voice.voice_id
    if wanted.endswith(VOICE_FILE_SUFFIX):
        if engine not in (None, PIPER):
            raise SpeechError(f"{wanted!r} is a Piper voice: leave `voice.tts.model` out.")
        return wanted
    if engine is None:
        spoken_by = voice.embedded_voice_for(language)
        if wanted not in ("default", spoken_by):
            _LOG.warning("no embedded voice is called %r: %s speaks", wanted, spoken_by)
        return spoken_by
    voices = [name for name, its in EMBEDDED_VOICES.items() if its == engine]
    if not voices:
        engines = " and ".join(sorted(set(EMBEDDED_VOICES.values())))
        raise SpeechError(f"There is no engine {engine!r}: `voice.tts.model` knows {engines}.")
    if wanted == "default":
        fitting = [name for name in voices_speaking(language) if name in voices]
        return [*fitting, *voices][0]
    if wanted not in voices:
        raise SpeechError(
            f"{engine} has no voice {wanted!r}. Use one of {', '.join(voices)}"
            + (", or the path of a Piper `.onnx`." if engine == PIPER else ".")
        )
    return wanted


def open_embedded(
    voice: str, *, language: str, speed: float, weights: Weights, runner: ModelRunner
) -> EmbeddedSpeech:
    """Load a voice.

    Args:
        voice: A name of `EMBEDDED_VOICES`, or the path of a Piper `.onnx`.
        language: That will be spoken.
        speed: 1 is the voice's own.
        weights: Where its files lie.
        runner: Threads it works on.

    Raises:
        SpeechError: It is unknown, its files cannot be had, or it does not speak the language.
    """
    engine = EMBEDDED_VOICES.get(voice, PIPER)
    name = f"{engine}:{Path(voice).stem}"
    require_language(language, name, speaks=language_of_voice(voice))
    try:
        if engine == KOKORO_ENGINE:
            return _kokoro(voice, name, speed=speed, weights=weights, runner=runner)
        path = weights.resolve(PIPER_JOE) / _JOE_FILE if voice == "joe" else Path(voice)
        return _piper(path.expanduser(), name, speed=speed, weights=weights, runner=runner)
    except WeightsError as error:
        raise SpeechError(f"The voice {voice!r} cannot be loaded. {error}") from error


def sample_rate_of(voice: str) -> int:
    """Samples a second of an embedded voice."""
    return KOKORO_RATE_HZ if EMBEDDED_VOICES[voice] == KOKORO_ENGINE else _JOE_RATE_HZ


def fetch_embedded(voice: str, weights: Weights) -> None:
    """See that the files of an embedded voice lie on this machine, without loading them.

    Raises:
        SpeechError: They cannot be had.
    """
    is_english = language_of_voice(voice) == "en"
    sounds = (ENGLISH_PRONUNCIATIONS, ENGLISH_LETTERS_TO_SOUNDS) if is_english else ()
    its = (KOKORO, _styles_of(voice)) if EMBEDDED_VOICES[voice] == KOKORO_ENGINE else (PIPER_JOE,)
    try:
        for name in (*its, *sounds):
            weights.resolve(name)
    except WeightsError as error:
        raise SpeechError(f"The voice {voice!r} cannot be loaded. {error}") from error


def _piper(
    path: Path, name: str, *, speed: float, weights: Weights, runner: ModelRunner
) -> EmbeddedSpeech:
    # Agents of one process share what is loaded: a voice takes 100 MB and a second.
    voice = load_once(("piper", path), lambda: open_piper(path, cache=weights.root / _CACHE))
    speaker = _english(weights, british=voice.is_british)
    return EmbeddedSpeech(name, voice, speaker, runner=runner, speed=speed)


def _kokoro(
    voice: str, name: str, *, speed: float, weights: Weights, runner: ModelRunner
) -> EmbeddedSpeech:
    file, language = _KOKORO_FILES[voice], language_of_voice(voice)
    folder, styles = weights.resolve(KOKORO), weights.resolve(_styles_of(voice))
    network = load_once(
        ("kokoro", folder), lambda: open_network(folder / _NETWORK, folder / _VOCABULARY)
    )
    style = read_style(styles / f"{file}.bin")
    if language == "es":
        loaded, speaker = KokoroVoice(network, style, other_signs={}), open_spanish()
    else:
        loaded = KokoroVoice(network, style)
        speaker = _english(weights, british=file.startswith("b"))
    return EmbeddedSpeech(name, loaded, speaker, runner=runner, speed=speed, language=language)


def _styles_of(voice: str) -> str:
    """Weights that hold a voice of Kokoro."""
    return KOKORO_VOICES if language_of_voice(voice) == "en" else KOKORO_SPANISH_VOICES


def _english(weights: Weights, *, british: bool) -> EnglishSpeaker:
    dictionaries = weights.resolve(ENGLISH_PRONUNCIATIONS)
    network = weights.resolve(ENGLISH_LETTERS_TO_SOUNDS) / "checkpoint20.npz"
    return load_once(
        ("english", dictionaries, network, british),
        lambda: open_english(dictionaries, network, british=british),
    )
