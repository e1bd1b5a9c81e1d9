"""Whether this machine can hold a voice call, and how quickly: one sentence spoken and heard."""

import asyncio
import os
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversation.agent.models.voice_config import VoiceSection, base_language
from conversation.voice.audio import resampled
from conversation.voice.hearing.whisper import require_extra
from conversation.voice.open_voice import VoiceModels, open_voice
from conversation.voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from kb.weights.folder import Weights
from orchestration.errors import SoundFileError

SENTENCE = "This is a check of the voice that answers, and of the ears that listen to you."
SENTENCES = {
    "en": SENTENCE,
    "de": "Das ist eine Probe der Stimme, die antwortet, und der Ohren, die Ihnen zuhören.",
    "es": "Esta es una prueba de la voz que responde y de los oídos que le escuchan.",
    "fr": "Ceci est un essai de la voix qui répond et des oreilles qui vous écoutent.",
    "it": "Questa è una prova della voce che risponde e delle orecchie che vi ascoltano.",
    "nl": "Dit is een proef van de stem die antwoordt en van de oren die naar u luisteren.",
    "pt": "Este é um teste da voz que responde e dos ouvidos que escutam você.",
}
"""What is said in each language; in others the English one."""
PAUSE_S = 0.2
"""Silence after which a turn may be decided, and which the models hear with it."""


@dataclass(frozen=True, slots=True)
class VoiceCheck:
    """What was measured on this machine, in seconds of the clock."""

    voice: str
    ear: str
    file: Path
    said: str
    heard: str
    load_s: float
    spoken_s: float
    """How long the sentence is."""
    first_sound_s: float
    speak_s: float
    """The whole sentence."""
    frame_s: float
    """To decide whether 32 ms of sound hold a voice."""
    hear_s: float
    turn_end_s: float
    busy: float | None
    """Processes that wanted a core, on average of the last minute; None where nobody counts."""
    cores: int

    @property
    def answer_s(self) -> float:
        """From the end of a question to the first sound of an answer, without finding it."""
        return PAUSE_S + max(self.hear_s, self.turn_end_s) + self.first_sound_s

    @property
    def is_understood(self) -> bool:
        """Whether most words came back."""
        said, heard = (set(_plain(text)) for text in (self.said, self.heard))
        return len(said & heard) >= 0.8 * len(said)


def check_voice(voice: VoiceSection, *, language: str, weights: Weights, file: Path) -> VoiceCheck:
    """Fetch and load the models, speak a sentence into `file`, and hear it again.

    Raises:
        SpeechError: The extra is missing, or a model cannot be used.
        SoundFileError: `file` cannot be written.
    """
    require_extra()
    started = time.perf_counter()
    models = open_voice(voice, language=language, weights=weights)
    load_s = time.perf_counter() - started
    return asyncio.run(measured(models, language=language, file=file, load_s=load_s))


async def measured(models: VoiceModels, *, language: str, file: Path, load_s: float) -> VoiceCheck:
    """Speak a sentence into `file` with loaded models, and hear it again."""
    # The first run of a network takes its memory; calls come later.
    await _spoken(models, "Hello.", language)
    sentence = SENTENCES.get(base_language(language), SENTENCE)
    samples, first_sound_s, speak_s = await _spoken(models, sentence, language)
    rate = models.synthesizer.sample_rate_hz
    _write(file, samples, rate)
    heard_as = resampled(samples, from_hz=rate, to_hz=SAMPLE_RATE_HZ)
    sound = np.concatenate((heard_as, np.zeros(int(PAUSE_S * SAMPLE_RATE_HZ), np.int16)))
    frame_s = _frame_s(models, sound)
    await models.transcriber.transcribe(sound[:SAMPLE_RATE_HZ], language=language)
    started = time.perf_counter()
    heard = await models.transcriber.transcribe(sound, language=language)
    hear_s = time.perf_counter() - started
    started = time.perf_counter()
    await models.turn_end.probability(sound)
    return VoiceCheck(
        voice=models.synthesizer.name,
        ear=models.transcriber.name,
        file=file,
        said=sentence,
        heard=heard.text,
        load_s=load_s,
        spoken_s=len(samples) / rate,
        first_sound_s=first_sound_s,
        speak_s=speak_s,
        frame_s=frame_s,
        hear_s=hear_s,
        turn_end_s=time.perf_counter() - started,
        busy=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        cores=os.cpu_count() or 1,
    )


async def _spoken(
    models: VoiceModels, sentence: str, language: str
) -> tuple[Samples, float, float]:
    """The sound of a sentence, and the seconds to its first and to its last sample."""
    started = time.perf_counter()
    first_s = 0.0
    chunks: list[Samples] = []
    async for chunk in models.synthesizer.speak(sentence, language=language, is_first=True):
        first_s = first_s or time.perf_counter() - started
        chunks.append(chunk.samples)
    return np.concatenate(chunks), first_s, time.perf_counter() - started


def _frame_s(models: VoiceModels, sound: Samples) -> float:
    detector = models.new_detector()
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    started = time.perf_counter()
    for frame in frames:
        detector.probability(frame)
    return (time.perf_counter() - started) / len(frames)


def _write(file: Path, samples: Samples, rate: int) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        opened = file.open("wb")
    except OSError as error:
        raise SoundFileError(f"{str(file)!r} cannot be written: {error.strerror}.") from error
    with opened, wave.open(opened, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(samples.astype("<i2").tobytes())


def _plain(text: str) -> list[str]:
    kept = "".join(char if char.isalnum() else " " for char in text.lower())
    return kept.split()
