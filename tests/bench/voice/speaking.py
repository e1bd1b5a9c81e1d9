"""Voices: seconds of one core until the first sound, and words that survive a round trip.

What a voice said is heard by the ears of calls. Run by `python -m tests.bench.voice`.
"""

import asyncio
import statistics
import time
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.audio import resampled
from conversation.voice.hearing.open_hearing import open_hearing
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, SpeechSynthesizer, Transcriber
from conversation.voice.speaking.embedded_speech import EmbeddedSpeech
from conversation.voice.speaking.open_speech import open_speech
from conversation.voice.speaking.piper.piper_voice import PiperVoice, frame_ranges, phoneme_ids
from tests.bench.figures import Figure, record
from tests.bench.voice.words import edits, words

VOICES = ("joe", "heart")
ROUNDS = {"joe": 2}
"""How often each sentence is said: Piper draws its melody anew each time, Kokoro does not."""
SENTENCES = (
    "Sure, I can help you with that.",
    "You can return any item within thirty days of delivery, and we refund the full price.",
    "Our support team is available from nine in the morning until five in the afternoon.",
    "Please tell me the order number, so that I can look it up for you.",
    "The free plan includes two agents and one thousand minutes every month.",
    "I am sorry, but I do not know the answer to that question.",
    "To reset your password, open the settings page and choose security.",
    "Your appointment with Doctor Miller is on Tuesday, the fourteenth of March.",
    "The battery lasts about eleven hours when the screen is dimmed.",
    "Would you like me to connect you with one of my colleagues?",
    "Documents are kept for ninety days and then deleted automatically.",
    "It costs forty-nine dollars a month, and you may cancel at any time.",
    "The warranty covers parts and labor for two years from the date of purchase.",
    "Your refund was sent on Monday and should arrive within five business days.",
    "Press the green button for three seconds until the light begins to blink.",
    "We do not ship to post office boxes, but we deliver to parcel lockers.",
    "The meeting room on the second floor is free at half past two.",
    "Let me see what the documents say about this.",
    "Each agent can hold up to five hundred documents of ten megabytes.",
    "Thank you for calling, and have a nice day.",
    "The workshop will be closed on Thursday because of the holiday.",
    "You need a valid passport and a proof of address to open an account.",
    "I can read the whole list to you, or send it by e-mail.",
    "Who else would like to take part in the course?",
)
_WRITTEN_OTHERWISE = {"anytime": "any time", "email": "e-mail", "dr.": "doctor"}
"""Spellings of the same sounds."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A sentence, and what it took."""

    samples: Samples
    """At `SAMPLE_RATE_HZ`."""
    first_cpu_s: float
    all_cpu_s: float

    @property
    def lasts_s(self) -> float:
        """How long it takes to hear it."""
        return len(self.samples) / SAMPLE_RATE_HZ


def main() -> None:
    """Measure and print."""
    asyncio.run(_measured())


async def _measured() -> None:
    runner = ModelRunner(workers=1)
    ear = open_hearing(VoiceSection(), languages=("en",), runner=runner).transcriber
    for name in VOICES:
        voice = open_speech(VoiceSection(voice_id=name), language="en", runner=runner)
        await spoken(voice, SENTENCES[0])  # what is made at the first run only
        said = [
            (sentence, await spoken(voice, sentence))
            for sentence in SENTENCES * ROUNDS.get(name, 1)
        ]
        await _tell(name, said, ear)
        if isinstance(voice, EmbeddedSpeech) and isinstance(voice._voice, PiperVoice):
            worst = max(_difference(voice, voice._voice, sentence) for sentence in SENTENCES)
            print(f"{name}: in chunks or whole, samples differ by {worst:.1e} of full scale")
            record("voice", [Figure(f"voice/{name} chunks against whole", worst, len(SENTENCES))])
    runner.close()


async def spoken(voice: SpeechSynthesizer, sentence: str, *, language: str = "en") -> Spoken:
    """`sentence` by `voice`, while nothing else runs."""
    started, first = time.process_time(), None
    made: list[Samples] = []
    async for chunk in voice.speak(sentence, language=language, is_first=True):
        first = first or time.process_time()
        made.append(chunk.samples)
    ended = time.process_time()
    sound = resampled(np.concatenate(made), from_hz=voice.sample_rate_hz, to_hz=SAMPLE_RATE_HZ)
    return Spoken(sound, (first or ended) - started, ended - started)


async def _tell(name: str, said: list[tuple[str, Spoken]], ear: Transcriber) -> None:
    wrong = count = 0
    silence = np.zeros(SAMPLE_RATE_HZ // 5, dtype=np.int16)
    for sentence, sound in said:
        heard = await ear.transcribe(np.concatenate((sound.samples, silence)), language="en")
        text = heard.text.lower()
        for other, usual in _WRITTEN_OTHERWISE.items():
            text = text.replace(other, usual)
        wrong += edits(words(sentence), words(text))
        count += len(words(sentence))
    first = statistics.median(sound.first_cpu_s for _, sound in said)
    ratio = sum(sound.all_cpu_s for _, sound in said) / sum(sound.lasts_s for _, sound in said)
    print(
        f"{name}: {wrong / count:.1%} of {count} words heard otherwise; first sound after "
        f"{first:.3f} s of one core in the median, {ratio:.3f} s for each second of sound"
    )
    figures = [
        Figure(f"voice/{name} round trip word errors", wrong / count, count),
        Figure(f"voice/{name} first sound cpu s", first, len(said)),
        Figure(f"voice/{name} cpu s a second of sound", ratio, len(said)),
    ]
    record("voice", figures)


def _difference(speech: EmbeddedSpeech, voice: PiperVoice, sentence: str) -> float:
    """How far the decoder's output differs, in chunks, from that of one run over all frames."""
    parts = speech._speaker.pronounce(sentence).parts
    ids = phoneme_ids(parts, voice._config.phoneme_id_map).ids
    frames, conditions, _ = voice.encode(ids, speed=1.0)
    total = frames.shape[2]
    whole = voice.sound(frames, conditions, 0, total)
    pieces = [voice.sound(frames, conditions, *each) for each in frame_ranges(total)]
    ends = list(accumulate(len(piece) for piece in pieces))
    assert ends[-1] == len(whole)
    return float(np.abs(np.concatenate(pieces) - whole).max())
