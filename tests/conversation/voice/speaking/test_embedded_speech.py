import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.errors import SpeechError
from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import spread_evenly
from conversation.voice.speaking.embedded_speech import MAX_PHONEMES, EmbeddedSpeech, runs
from conversation.voice.speaking.english.pronouncing import SaidPart
from tests.conversation.voice.speaking.english.speakers import a_speaker
from tests.conversation.voice.speaking.providers.speech_server import tone


class TenthsOfASecond:
    """Says everything in three chunks of a tenth of a second."""

    sample_rate_hz = 16_000

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.made = 0

    def chunks(
        self, clause: str, parts: Sequence[SaidPart], *, speed: float
    ) -> Iterator[SpeechChunk]:
        self.texts.append(clause)
        assert all(clause[part.start_char : part.end_char].strip() for part in parts)
        for number in range(3):
            self.made += 1
            timed = tuple(spread_evenly(clause, total_s=0.3)) if number == 2 else ()
            yield SpeechChunk(tone(0.1, 16_000), timed)


def a_voice() -> tuple[EmbeddedSpeech, TenthsOfASecond]:
    voice = TenthsOfASecond()
    return EmbeddedSpeech("a voice", voice, a_speaker(), runner=ModelRunner(workers=1)), voice


async def spoken(speech: EmbeddedSpeech, clause: str, language: str = "en") -> list[SpeechChunk]:
    return [chunk async for chunk in speech.speak(clause, language=language)]


async def test_a_clause_comes_in_chunks_with_its_characters():
    speech, voice = a_voice()
    chunks = await spoken(speech, "Hello, world!")

    assert [len(chunk.samples) for chunk in chunks] == [1_600] * 3
    assert "".join(t.chars for chunk in chunks for t in chunk.alignment) == "Hello, world!"
    assert voice.texts == ["Hello, world!"]


async def test_whoever_leaves_stops_the_work():
    speech, voice = a_voice()
    stream: Any = speech.speak("Hello, world!", language="en")
    async with aclosing(stream):
        await anext(stream)
    await asyncio.sleep(0.05)

    assert voice.made == 1


async def test_another_language_is_refused_not_read_as_english():
    speech, voice = a_voice()
    with pytest.raises(SpeechError, match="speaks English, not 'fr'"):
        await spoken(speech, "Bonjour", language="fr")
    assert voice.texts == []


@pytest.mark.parametrize("clause", ["\u041f\u0440\u0438\u0432\u0435\u0442", "\u4f60\u597d\u3002"])
async def test_a_clause_in_another_script_is_an_error(clause: str):
    speech, _ = a_voice()
    with pytest.raises(SpeechError, match="reads Latin letters"):
        await spoken(speech, clause)


async def test_a_word_in_another_script_is_left_out_and_counted(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    speech, _ = a_voice()
    clause = "Hello \u041f\u0440\u0438\u0432\u0435\u0442"
    chunks = await spoken(speech, clause)

    assert "".join(t.chars for chunk in chunks for t in chunk.alignment) == clause
    assert "6 CYRILLIC" in caplog.text
    assert "Hello" not in caplog.text


@pytest.mark.parametrize("clause", ["...", " ", '"', "\u2014"])
async def test_marks_alone_are_silence_with_their_characters(clause: str):
    speech, voice = a_voice()
    (chunk,) = await spoken(speech, clause)

    assert len(chunk.samples) == 0
    assert "".join(timed.chars for timed in chunk.alignment) == clause
    assert voice.texts == []


async def test_times_go_on_from_one_run_to_the_next():
    speech, voice = a_voice()
    clause = "hello world, " * 60
    chunks = await spoken(speech, clause)

    assert len(voice.texts) > 1
    assert "".join(voice.texts) == clause
    timed = [each for chunk in chunks for each in chunk.alignment]
    assert "".join(each.chars for each in timed) == clause
    assert timed[-1].start_s > 0.3 * (len(voice.texts) - 1)


PHONEMES = st.text(alphabet="abˈ", max_size=900)


@settings(max_examples=60)
@given(st.lists(st.tuples(PHONEMES, st.sampled_from(["", ",", "."])), max_size=12))
def test_no_run_is_longer_than_a_network_reads(told: list[tuple[str, str]]):
    parts: list[SaidPart] = []
    clause = ""
    for phonemes, pause in told:
        text = "," if pause else "w" * (1 + len(phonemes))
        parts.append(
            SaidPart("" if pause else phonemes, pause, len(clause), len(clause) + len(text))
        )
        clause += text + " "
    cut = list(runs(clause, parts))

    assert "".join(text for text, _ in cut) == (clause if parts else "")
    for text, its in cut:
        assert sum(len(part.phonemes or part.pause) for part in its) <= MAX_PHONEMES
        assert all(0 <= part.start_char <= part.end_char <= len(text) for part in its)
    said = "".join(part.phonemes for _, its in cut for part in its)
    assert said == "".join(phonemes for phonemes, pause in told if not pause)
