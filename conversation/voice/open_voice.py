"""The `voice` section of an agent file -> the models of a voice call.

models = open_voice(agent.voice, language=agent.language)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.hearing.open_hearing import open_hearing
from conversation.voice.models.runner import ModelRunner
from conversation.voice.models.shared import shared_runner
from conversation.voice.ports import (
    ShortAnswers,
    SpeechSynthesizer,
    Transcriber,
    TurnEndModel,
    TurnWords,
    VoiceDetector,
)
from conversation.voice.speaking.open_speech import open_speech
from kb.weights.folder import Weights


@dataclass(frozen=True, slots=True)
class VoiceModels:
    """What a voice call hears and speaks with. All but the detectors is shared by calls."""

    new_detector: Callable[[], VoiceDetector]
    """One for each call."""
    transcriber: Transcriber
    turn_end: TurnEndModel
    turn_words: TurnWords
    synthesizer: SpeechSynthesizer
    short_answers: ShortAnswers | None = None


def open_voice(
    voice: VoiceSection,
    *,
    language: str,
    further_languages: Sequence[str] = (),
    weights: Weights | None = None,
    runner: ModelRunner | None = None,
    secret: Callable[[str], str | None] | None = None,
) -> VoiceModels:
    """Return the models of an agent's calls. Fetches and loads them, so call it from a thread.

    What is embedded is loaded once in a process, whoever asks for it.

    Args:
        voice: Section of the agent file.
        language: Of the agent, e.g. `en`.
        further_languages: That it can switch to.
        weights: Where embedded models lie; None for the user's cache folder.
        runner: Threads for the models; None for those that all calls of the process share.
        secret: Value of an environment variable with a provider's key; None asks the environment.

    Raises:
        SpeechError: A model cannot be used; says what to install, fetch or set.
    """
    threads = runner or shared_runner()
    hearing = open_hearing(
        voice,
        languages=(language, *further_languages),
        weights=weights,
        runner=threads,
        secret=secret,
    )
    return VoiceModels(
        new_detector=hearing.new_detector,
        transcriber=hearing.transcriber,
        turn_end=hearing.turn_end,
        turn_words=hearing.turn_words,
        short_answers=hearing.short_answers,
        synthesizer=open_speech(
            voice,
            language=language,
            further_languages=further_languages,
            weights=weights,
            runner=threads,
            secret=secret,
        ),
    )


def open_voice_of(
    agent: AgentConfig, *, folder: Path = Path(), weights: Weights | None = None
) -> VoiceModels:
    """As `open_voice`, with what the agent says of its voice and languages.

    Args:
        agent: Whose calls they are.
        folder: Of the agent file, where relative paths of voices begin.
        weights: Where embedded models lie; None for the user's cache folder.

    Raises:
        SpeechError: A model cannot be used; says what to install, fetch or set.
    """
    return open_voice(
        (agent.voice or VoiceSection()).beside(folder),
        language=agent.language,
        further_languages=tuple(agent.languages),
        weights=weights,
    )
