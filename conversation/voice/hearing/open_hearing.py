"""The `voice` section of an agent file -> what hears."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversation.agent.models.voice_config import DEFAULT_EAR, SpeechToTextSection, VoiceSection
from conversation.errors import SpeechError
from conversation.voice.hearing.fallback_transcriber import FallbackTranscriber
from conversation.voice.hearing.heard_answers import HeardAnswers
from conversation.voice.hearing.provider_transcriber import ProviderTranscriber
from conversation.voice.hearing.silero import SileroDetector
from conversation.voice.hearing.smart_turn import SmartTurn
from conversation.voice.hearing.turn_words import turn_words
from conversation.voice.hearing.whisper import WhisperEngine, require_extra
from conversation.voice.hearing.whisper_transcriber import WhisperTranscriber, spoken_code
from conversation.voice.models.onnx_session import OnnxModel
from conversation.voice.models.runner import ModelRunner
from conversation.voice.models.shared import load_once, shared_runner
from conversation.voice.ports import (
    ShortAnswers,
    Transcriber,
    TurnEndModel,
    TurnWords,
    VoiceDetector,
)
from kb.errors import WeightsError
from kb.weights.folder import Weights
from kb.weights.voice_models import SILERO_VAD, SMART_TURN, WHISPER_BASE

EMBEDDED_EARS = {DEFAULT_EAR: WHISPER_BASE}
"""Model strings that need no provider, and the weights of each."""
Secret = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Hearing:
    """What hears for an agent. All but the detectors is shared by the calls of a process."""

    new_detector: Callable[[], VoiceDetector]
    """One for each call."""
    transcriber: Transcriber
    turn_end: TurnEndModel
    turn_words: TurnWords
    short_answers: ShortAnswers | None = None


def open_hearing(
    voice: VoiceSection,
    *,
    languages: Sequence[str],
    weights: Weights | None = None,
    runner: ModelRunner | None = None,
    secret: Secret | None = None,
) -> Hearing:
    """Return what hears for an agent. Fetches and loads models, so call it from a thread.

    Args:
        voice: Section of the agent file.
        languages: That the agent speaks, its own first; where there are several, each turn is
            heard in the likeliest of them.
        weights: Where models lie; None for the user's cache folder.
        runner: Threads that the process gives to voice models; None for those that all share.
        secret: Value of an environment variable; None asks the environment.

    Raises:
        SpeechError: A model cannot be used; says what to install, fetch or set.
    """
    kept = weights or Weights()
    threads = runner or shared_runner()
    detector = _onnx(SILERO_VAD, kept)
    return Hearing(
        new_detector=lambda: SileroDetector(detector),
        transcriber=open_transcriber(
            voice.stt, languages=languages, weights=kept, runner=threads, secret=secret
        ),
        turn_end=SmartTurn(_onnx(SMART_TURN, kept), threads),
        turn_words=turn_words(),
        # Loaded already, by itself or as what hears when providers fail.
        short_answers=HeardAnswers(_whisper(WHISPER_BASE, kept), threads),
    )


def open_transcriber(
    section: SpeechToTextSection,
    *,
    languages: Sequence[str],
    weights: Weights,
    runner: ModelRunner,
    secret: Secret | None = None,
) -> Transcriber:
    """Return what turns speech into text: the model, its fallbacks, and the embedded one last.

    Raises:
        SpeechError: The embedded model cannot be used, or a provider's key is missing.
    """

    def embedded(model: str) -> Transcriber:
        if model not in EMBEDDED_EARS:
            raise SpeechError(
                f"There is no embedded model {model!r} for speech to text. Use "
                f"{' or '.join(EMBEDDED_EARS)}, or PROVIDER/MODEL."
            )
        engine = _whisper(EMBEDDED_EARS[model], weights)
        codes = [code for code in map(spoken_code, languages) if code in engine.languages]
        if languages and not codes:
            raise SpeechError(
                f"{model} cannot hear {', '.join(languages)}. Choose a provider in `voice.stt`."
            )
        return WhisperTranscriber(engine, runner, name=model, languages=codes)

    transcribers: list[Transcriber] = []
    for named in (section, *section.fallbacks):
        if named.model.startswith("embedded/"):
            transcribers.append(embedded(named.model))
        else:
            transcribers.append(
                ProviderTranscriber(
                    named.model,
                    api_base=named.api_base,
                    api_key_variable=named.api_key_variable,
                    secret=secret or os.environ.get,
                )
            )
    if all(not each.name.startswith("embedded/") for each in transcribers):
        transcribers.append(embedded(DEFAULT_EAR))
    return FallbackTranscriber(transcribers) if len(transcribers) > 1 else transcribers[0]


def _onnx(name: str, weights: Weights) -> OnnxModel:
    path = _resolved(lambda: weights.resolve_file(name))
    return load_once(("onnx", path), lambda: OnnxModel(path))


def _whisper(name: str, weights: Weights) -> WhisperEngine:
    require_extra()
    folder = _resolved(lambda: weights.resolve(name))
    return load_once(("whisper", folder), lambda: WhisperEngine(folder))


def _resolved(resolve: Callable[[], Path]) -> Path:
    try:
        return resolve()
    except WeightsError as error:
        raise SpeechError(f"What a voice call needs cannot be used. {error}") from error
