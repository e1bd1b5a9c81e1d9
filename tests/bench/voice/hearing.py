"""Ears: words that are wrong, transcripts that run away, and seconds of one core.

Baseline is the same model on its usual window of 30 s. Run by `python -m tests.bench.voice`.
"""

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.audio import from_mulaw, resampled, to_mulaw
from conversation.voice.hearing.log_mel import waveform_of
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.hearing.repetition import repeated_words
from conversation.voice.hearing.utterances import SpeechSegment, voiced
from conversation.voice.hearing.whisper import WhisperEngine
from conversation.voice.hearing.whisper_transcriber import WhisperTranscriber
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
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
    whole, further = utterances(hearing)
    _runaways(engine, [*whole, *further], sample=min(SAMPLE, len(whole)))


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


def utterances(hearing: Hearing) -> tuple[list[Clip], list[Clip]]:
    """Stretches between pauses of the clips, and more: their beginnings, and as a telephone has
    them. Always the same ones.
    """
    whole: list[Clip] = []
    further: list[Clip] = []
    for clip in (*readings(), *further_clips(), *known_clips()):
        for stretch in voiced(clip.samples, hearing.new_detector()):
            name = f"{clip.name} {stretch.start_s:.2f}-{stretch.end_s:.2f}"
            found = Clip(name, stretch.cut(clip.samples))
            whole.append(found)
            further.append(Clip(f"{name}, telephone", telephone(found.samples)))
            count = int((stretch.end_s - stretch.start_s) / BEGINNINGS_EVERY_S)
            for number in range(1, count + 1):
                cut = SpeechSegment(stretch.start_s, stretch.start_s + number * BEGINNINGS_EVERY_S)
                begun = cut.cut(clip.samples)
                further.append(Clip(f"{name}, part {number}", begun))
                further.append(Clip(f"{name}, part {number}, telephone", telephone(begun)))
    left = max(0, min(UTTERANCES - len(whole), len(further)))
    return whole, random.Random(0).sample(further, left)


def telephone(samples: Samples) -> Samples:
    """The same through 8 kHz and mu-law."""
    narrow = from_mulaw(to_mulaw(resampled(samples, from_hz=SAMPLE_RATE_HZ, to_hz=8_000)))
    return resampled(narrow, from_hz=8_000, to_hz=SAMPLE_RATE_HZ)


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


def _runaways(engine: WhisperEngine, clips: Sequence[Clip], *, sample: int) -> None:
    """Count what runs away; the first `sample` clips are heard in the 30-s window too."""
    ours = [transcript(engine, clip.samples) for clip in clips]
    # Where nothing is suspicious, the dear window is not asked.
    doubted = [n for n, heard in enumerate(ours) if _is_doubtful(heard.text, clips[n])]
    usual = {n: whole_window(engine, clips[n].samples) for n in {*range(sample), *doubted}}
    wrong = [n for n in doubted if is_runaway(words(usual[n].text), words(ours[n].text))]
    pairs = [(words(usual[n].text), words(ours[n].text)) for n in range(sample)]
    differing = sum(edits(*pair) for pair in pairs) / sum(len(said) for said, _ in pairs)
    cpu = statistics.median(heard.cpu_s for heard in ours)
    cpu_usual = statistics.median(usual[n].cpu_s for n in range(sample))
    seconds = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE_HZ
    print(
        f"{len(clips)} utterances of {seconds / len(clips):.1f} s on average: {len(wrong)} run "
        f"away; {cpu:.3f} s of one core in the median. 30-s window (n={sample}): {cpu_usual:.3f} s;"
        f" {differing:.1%} of words differ from it"
    )
    for n in wrong:
        print(f"  ran away: {clips[n].name}")
    figures = [
        Figure("voice/runaways", len(wrong), len(clips)),
        Figure("voice/words that differ from the 30-s window", differing, sample),
        Figure("voice/transcript cpu s", cpu, len(clips)),
        Figure("voice/transcript cpu s, 30-s window", cpu_usual, sample),
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
