"""Ears: words that are wrong, transcripts that run away, and seconds of one core.

Baseline is the same model on its usual window of 30 s. Run by `python -m tests.bench.voice`.
"""

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.voice.hearing.log_mel import waveform_of
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.hearing.repetition import repeated_words
from conversation.voice.hearing.utterances import Utterance, voiced
from conversation.voice.hearing.whisper import WhisperEngine
from conversation.voice.hearing.whisper_transcriber import WhisperTranscriber
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.voice_config import VoiceSection
from tests.bench.figures import Figure, record
from tests.bench.voice.speech_data import Clip, further_clips, known_clips, readings
from tests.bench.voice.words import edits, error_rate, words

UTTERANCES = 200
BEGINNINGS_EVERY_S = 0.6
"""As often a tentative transcript is asked for: an utterance is heard from its beginning on."""
WHOLE_FRAMES = 3_000
SAMPLE = 40
"""Utterances whose 30-s window is decoded too."""
DOUBTFUL_WORDS_PER_S = 3.5


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript, and the seconds of one core that it took."""

    text: str
    cpu_s: float


def main() -> None:
    """Measure and print."""
    hearing = open_hearing(VoiceSection(), languages=("en",))
    engine = _engine(hearing)
    transcript(engine, known_clips()[0].samples)
    _known_words(engine)
    _runaways(engine, utterances(hearing))


def transcript(engine: WhisperEngine, samples: Samples) -> Heard:
    """What the agent hears."""
    started = time.process_time()
    text = engine.transcribe(samples, languages=("en",)).text
    return Heard(text, time.process_time() - started)


def whole_window(engine: WhisperEngine, samples: Samples) -> Heard:
    """What the model hears in its usual window, searched with five beams."""
    started = time.process_time()
    encoded = engine._encoded(waveform_of(samples), WHOLE_FRAMES)
    prompt = engine._tokens.prompt("en", ())
    found = engine._decoded(encoded, prompt, len(samples) / SAMPLE_RATE_HZ, beam=5)
    return Heard(found.text, time.process_time() - started)


def utterances(hearing: Hearing) -> list[Clip]:
    """Stretches between pauses of the readings, and their beginnings: always the same ones."""
    found: list[Clip] = []
    for clip in (*readings(), *further_clips(), *known_clips()):
        for whole in voiced(clip.samples, hearing.new_detector()):
            count = int((whole.end_s - whole.start_s) / BEGINNINGS_EVERY_S)
            ends = [whole.start_s + BEGINNINGS_EVERY_S * n for n in range(1, count + 1)]
            for end_s in sorted({*ends, whole.end_s}):
                cut = Utterance(whole.start_s, end_s)
                name = f"{clip.name} {cut.start_s:.2f}-{cut.end_s:.2f}"
                found.append(Clip(name, cut.cut(clip.samples)))
    return random.Random(0).sample(found, min(UTTERANCES, len(found)))


def _known_words(engine: WhisperEngine) -> None:
    for name, clips in (("audio_speech dev", known_clips()), ("further clips", further_clips())):
        ours = [transcript(engine, clip.samples) for clip in clips]
        usual = [whole_window(engine, clip.samples) for clip in clips]
        said = [clip.said for clip in clips]
        rate, baseline = (
            error_rate(list(zip(said, (each.text for each in heard), strict=True)))
            for heard in (ours, usual)
        )
        count = sum(len(words(each)) for each in said)
        print(f"{name}: word errors {rate:.1%} of {count} words; 30-s window {baseline:.1%}")
        if clips == known_clips():
            figures = [
                Figure("voice/word errors", rate, count),
                Figure("voice/word errors, 30-s window", baseline, count),
            ]
            record("voice", figures)


def _runaways(engine: WhisperEngine, clips: Sequence[Clip]) -> None:
    ours = [transcript(engine, clip.samples) for clip in clips]
    # Where nothing is suspicious, the dear window is not asked.
    doubted = [n for n, heard in enumerate(ours) if _is_doubtful(heard.text, clips[n])]
    usual = {n: whole_window(engine, clips[n].samples) for n in {*range(SAMPLE), *doubted}}
    wrong = [n for n in doubted if is_runaway(words(usual[n].text), words(ours[n].text))]
    sample = [(words(usual[n].text), words(ours[n].text)) for n in range(SAMPLE)]
    differing = sum(edits(*pair) for pair in sample) / sum(len(said) for said, _ in sample)
    cpu = statistics.median(heard.cpu_s for heard in ours)
    cpu_usual = statistics.median(usual[n].cpu_s for n in range(SAMPLE))
    seconds = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE_HZ
    print(
        f"{len(clips)} utterances of {seconds / len(clips):.1f} s on average: {len(wrong)} run "
        f"away; {cpu:.3f} s of one core in the median. 30-s window (n={SAMPLE}): {cpu_usual:.3f} s;"
        f" {differing:.1%} of words differ from it"
    )
    for n in wrong:
        print(f"  ran away: {clips[n].name}")
    figures = [
        Figure("voice/runaways", len(wrong), len(clips)),
        Figure("voice/words that differ from the 30-s window", differing, SAMPLE),
        Figure("voice/transcript cpu s", cpu, len(clips)),
        Figure("voice/transcript cpu s, 30-s window", cpu_usual, SAMPLE),
    ]
    record("voice", figures)


def _is_doubtful(text: str, clip: Clip) -> bool:
    heard = words(text)
    fast = len(heard) > DOUBTFUL_WORDS_PER_S * len(clip.samples) / SAMPLE_RATE_HZ + 1
    return fast or repeated_words(heard) > 0


def is_runaway(usual: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether more was heard than can have been said: half as much again, and three words."""
    return len(heard) > 1.5 * len(usual) + 3


def _engine(hearing: Hearing) -> WhisperEngine:
    assert isinstance(hearing.transcriber, WhisperTranscriber)
    return hearing.transcriber._engine


if __name__ == "__main__":
    main()
