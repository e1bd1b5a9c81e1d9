"""Chooses the bound of short answers: `python -m tests.bench.voice.train_answer_bound`.

Voices that the bench does not use say short answers, and other short words, none of them the
bench's. Of those that are written down as no short answer it prints, for each bound, how many
answers are found and how many other words are taken for one. The bound that ships is `CLOSE` of
`conversation/voice/hearing/heard_answers.py`. Nothing is written.

    --voices sky --answers 8 --others 16      a part, in half a minute of one core
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.audio import resampled
from conversation.voice.hearing.heard_answers import CLOSE
from conversation.voice.hearing.open_hearing import open_hearing
from conversation.voice.hearing.whisper import WhisperEngine
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from conversation.voice.speaking.embedded_voices import _NETWORK, _VOCABULARY, _english
from conversation.voice.speaking.kokoro.kokoro_voice import KokoroVoice, open_network, read_style
from conversation.voice.turns.short_answers import (
    compared_answers,
    ignored_terms,
    is_short_answer,
    likely_answers,
)
from kb.weights.folder import Weights
from kb.weights.model_weights import ModelWeights, PackagePart, WeightsFile
from kb.weights.voice_models import KOKORO
from tests.bench.voice.hearing import _engine
from tests.bench.voice.made_speech import BACKCHANNELS, INTERRUPTIONS
from tests.bench.voice.turn_ends import room

ANSWERS = (
    "Yep.", "Yup.", "Hmm.", "Mm.", "Mm-hmm.", "Aha.", "Oh.", "Ah.", "Great.", "Good.", "Cool.",
    "Nice.", "Of course.", "Exactly.", "Gotcha.", "Fine.", "Perfect.", "True.", "Really?",
    "Makes sense.", "Fair enough.", "Understood.", "I know.", "Go on.", "Huh.", "Oh, nice.",
    "Yeah, yeah.", "Okay, okay.", "Oh, I see.", "Yes, sure.",
)  # fmt: skip
OTHERS = (
    "No.", "Nope.", "What?", "Why?", "How?", "When?", "Hello?", "Hey.", "Pardon?", "Excuse me.",
    "Help.", "Never mind.", "Cancel.", "Go back.", "Repeat.", "Again.", "Louder.", "Slower.",
    "Emily.", "Next.", "Agent.", "Not now.", "No thanks.", "Too fast.", "How much?", "Where?",
    "Which one?", "On Monday.", "Two.", "Actually.", "Listen.", "Quiet.", "Enough.", "Bye.",
    "Please.", "Some.", "Tuesday.", "My order.", "Spanish.", "Hi there.", "Come on.", "Shoes.",
    "That's wrong.", "But why?", "I did.", "Wait.", "Hold on.", "Sorry?", "No, stop.",
    "One moment.", "Hang on.", "Is it free?", "What price?", "Not yet.", "Speak up.", "Go away.",
    "Thursday.",
)  # fmt: skip
VOICES = {
    "bella": ("af_bella", "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b"),
    "sky": ("af_sky", "4435255c9744f3f31659e0d714ab7689bf65d9e77ec1cce060f083912614f0b9"),
    "adam": ("am_adam", "162b035ed91cfc48b6046982184c645f72edcdd1b82843347f605d7bf7b15716"),
    "fenrir": ("am_fenrir", "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43"),
    "daniel": ("bm_daniel", "6b3194bbceffb746733cbc22c8f593dd44e401a71d53895a2dca891bc595a1e8"),
}
BOUNDS = (-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -8.0)
_LONGEST_S = 1.0
"""Of a voice that calls compare."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A clip that was written down as no short answer."""

    name: str
    is_answer: bool
    written: str
    nearness: float


def main() -> None:
    """Speak, hear, compare and print."""
    assert not {*ANSWERS, *OTHERS} & {*BACKCHANNELS, *INTERRUPTIONS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", nargs="+", choices=VOICES, default=list(VOICES))
    parser.add_argument("--answers", type=int, default=len(ANSWERS))
    parser.add_argument("--others", type=int, default=len(OTHERS))
    told = parser.parse_args()
    engine = _engine(open_hearing(VoiceSection(), languages=("en",)))
    said = [*ANSWERS[: told.answers], *OTHERS[: told.others]]
    heard: list[Heard] = []
    clips = 0
    for name, text, sound in _spoken(told.voices, said):
        clips += 1
        if len(sound) <= _LONGEST_S * SAMPLE_RATE_HZ:
            found = _heard(engine, f"{name}: {text}", sound, is_answer=text in ANSWERS)
            heard += [found] if found is not None else []
    _report(heard, clips)


def _spoken(voices: Sequence[str], texts: Sequence[str]) -> Iterator[tuple[str, str, Samples]]:
    weights = Weights()
    folder = weights.resolve(KOKORO)
    network = open_network(folder / _NETWORK, folder / _VOCABULARY)
    styles = Weights(catalog={"training-voices": _training_voices()}).resolve("training-voices")
    for name in voices:
        file = VOICES[name][0]
        voice = KokoroVoice(network, read_style(styles / f"{file}.bin"))
        speaker = _english(weights, british=file.startswith("b"))
        for text in texts:
            parts = speaker.pronounce(text).parts
            made = [chunk.samples for chunk in voice.chunks(text, parts, speed=1.0)]
            rate = voice.sample_rate_hz
            yield name, text, resampled(np.concatenate(made), from_hz=rate, to_hz=SAMPLE_RATE_HZ)


def _heard(engine: WhisperEngine, name: str, sound: Samples, *, is_answer: bool) -> Heard | None:
    """What was written of a clip in a quiet room; None when that is a short answer already."""
    clip = np.concatenate((room(0.3), sound, room(0.2)))
    usual = likely_answers("en")
    written = engine.transcribe(clip, languages=("en",), keywords=usual).text
    if is_short_answer(written, ignored_terms("en")):
        return None
    near = engine.nearness(clip, compared_answers("en"), language="en", keywords=usual)
    return None if near is None else Heard(name, is_answer, written, near)


def _report(heard: Sequence[Heard], clips: int) -> None:
    answers = [each for each in heard if each.is_answer]
    others = [each for each in heard if not each.is_answer]
    print(
        f"{clips} clips; written as no short answer: {len(answers)} answers, {len(others)} others"
    )
    for bound in BOUNDS:
        found = sum(each.nearness >= bound for each in answers)
        taken = [each for each in others if each.nearness >= bound]
        ships = "  <- ships" if bound == CLOSE else ""
        print(
            f"  {bound:4.0f}: {found} of {len(answers)} answers found, {len(taken)} of "
            f"{len(others)} others taken for one{ships}"
        )
    for each in others:
        if each.nearness >= CLOSE:
            print(f"  taken for an answer: {each.name} written {each.written!r}")


def _training_voices() -> ModelWeights:
    files = tuple(WeightsFile(f"{name}.bin", 522_240, digest) for name, digest in VOICES.values())
    members = tuple((f"package/voices/{file.name}", file.name) for file in files)
    return ModelWeights(
        name="training-voices",
        files=files,
        licence="Apache-2.0",
        hub=None,
        packages=(),
        npm_packages=((PackagePart("kokoro-js@1.2.1", members),),),
    )


if __name__ == "__main__":
    main()
