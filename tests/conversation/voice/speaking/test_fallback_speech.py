import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.errors import SpeechError
from conversation.voice.ports import SpeechChunk, SpeechSynthesizer, TimedChars
from conversation.voice.speaking.fallback_speech import REST_S, FallbackSpeech
from tests.conversation.voice.speaking.providers.speech_server import tone

CLAUSE = "We refund the price in thirty days."
EACH_S = 0.05


class Speaker:
    """Says a clause a few characters a chunk, and fails after some of them."""

    def __init__(
        self,
        name: str,
        *,
        fails_after: Sequence[int | None] = (),
        rate_hz: int = 16_000,
        tells: str = "exactly",
        chunk_chars: int = 5,
    ) -> None:
        self.name = name
        self.sample_rate_hz = rate_hz
        self.said: list[str] = []
        self.first: list[bool] = []
        self.heard = ""
        self.closed = 0
        self._fails_after = list(fails_after)
        self._tells = tells
        self._chunk_chars = chunk_chars

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        self.said.append(clause)
        self.first.append(is_first)
        fails_after = self._fails_after.pop(0) if self._fails_after else None
        try:
            for at in range(0, len(clause), self._chunk_chars):
                if fails_after is not None and at >= fails_after:
                    raise SpeechError(f"{self.name} is down")
                part = clause[at : at + self._chunk_chars]
                self.heard += part
                timed = tuple(
                    TimedChars(char, (at + place) * EACH_S, EACH_S)
                    for place, char in enumerate(part)
                )
                samples = tone(len(part) * EACH_S, self.sample_rate_hz)
                is_estimated = self._tells == "roughly"
                told = () if self._tells == "nothing" else timed
                yield SpeechChunk(samples, told, is_estimated=is_estimated)
                await asyncio.sleep(0)
        finally:
            self.closed += 1


async def spoken(voice: SpeechSynthesizer, clause: str = CLAUSE) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(clause, language="en")]


def chars(chunks: Sequence[SpeechChunk]) -> str:
    return "".join(timed.chars for chunk in chunks for timed in chunk.alignment)


def seconds(chunks: Sequence[SpeechChunk], rate_hz: int = 16_000) -> float:
    return sum(len(chunk.samples) for chunk in chunks) / rate_hz


async def test_the_first_voice_speaks_alone_while_it_can():
    first, second = Speaker("first"), Speaker("second")
    voice = FallbackSpeech([first, second])
    chunks = await spoken(voice)

    assert (voice.name, voice.sample_rate_hz) == ("first", 16_000)
    assert chars(chunks) == CLAUSE
    assert second.said == []
    assert voice.failures == {}


async def test_a_voice_that_fails_at_once_is_replaced_for_the_whole_clause():
    first, second = Speaker("first", fails_after=[0]), Speaker("second", rate_hz=24_000)
    voice = FallbackSpeech([first, second])
    chunks = await spoken(voice)

    assert second.said == [CLAUSE]
    assert chars(chunks) == CLAUSE
    assert seconds(chunks) == pytest.approx(len(CLAUSE) * EACH_S, abs=0.001)
    assert voice.failures == {"first": 1}


async def test_in_the_middle_of_a_clause_the_next_word_is_said_and_none_twice():
    # After "We refund the p": the word that was begun is not said again.
    first, second = Speaker("first", fails_after=[15]), Speaker("second")
    chunks = await spoken(FallbackSpeech([first, second]))

    assert first.heard == "We refund the p"
    assert second.said == [" in thirty days."]
    assert second.first == [True]
    assert chars(chunks) == CLAUSE
    timed = [each for chunk in chunks for each in chunk.alignment]
    skipped = next(each for each in timed if each.chars == "rice")
    assert (skipped.start_s, skipped.duration_s) == (pytest.approx(0.75, abs=0.001), 0.0)


@pytest.mark.parametrize("tells", ["roughly", "nothing"])
async def test_where_only_estimates_tell_a_word_is_lost_rather_than_said_twice(tells: str):
    first = Speaker("first", fails_after=[15], tells=tells)
    second = Speaker("second")
    chunks = await spoken(FallbackSpeech([first, second]))

    (rest,) = second.said
    assert CLAUSE.endswith(rest)
    assert not set(rest.split()) & set(first.heard.split())
    assert chars(chunks) == CLAUSE


async def test_when_nothing_is_left_to_say_the_next_voice_is_not_asked():
    first, second = Speaker("first", fails_after=[33], chunk_chars=11), Speaker("second")
    chunks = await spoken(FallbackSpeech([first, second]))

    assert second.said == []
    assert chars(chunks) == CLAUSE


async def test_a_failed_voice_rests_and_is_asked_again_later():
    now = [0.0]
    first, second = Speaker("first", fails_after=[0, None]), Speaker("second")
    voice = FallbackSpeech([first, second], clock=lambda: now[0])
    await spoken(voice)
    await spoken(voice)
    now[0] = REST_S + 1
    await spoken(voice)

    assert len(second.said) == 2
    assert len(first.said) == 2
    assert voice.failures == {"first": 1}


async def test_resting_voices_are_asked_when_all_others_fail_too():
    first = Speaker("first", fails_after=[0, None])
    second = Speaker("second", fails_after=[None, 0])
    voice = FallbackSpeech([first, second], clock=lambda: 0.0)
    await spoken(voice)
    chunks = await spoken(voice)

    assert chars(chunks) == CLAUSE
    assert voice.failures == {"first": 1, "second": 1}


async def test_when_all_fail_the_last_error_is_raised_and_no_words_are_logged(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    voices = [Speaker("first", fails_after=[0]), Speaker("second", fails_after=[0])]
    with pytest.raises(SpeechError, match="second is down"):
        await spoken(FallbackSpeech(voices))

    assert "first is down" in caplog.text
    assert "refund" not in caplog.text


@pytest.mark.parametrize("after_chars", [0, 15])
async def test_a_voice_that_falls_silent_is_not_waited_for(
    after_chars: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("conversation.voice.speaking.fallback_speech.PATIENCE_S", 0.05)

    class Silent(Speaker):
        async def speak(
            self, clause: str, *, language: str, is_first: bool = False
        ) -> AsyncGenerator[SpeechChunk]:
            async for chunk in super().speak(clause, language=language, is_first=is_first):
                if len(self.heard) > after_chars:
                    await asyncio.sleep(60)
                yield chunk

    first, second = Silent("first"), Speaker("second")
    voice = FallbackSpeech([first, second])
    async with asyncio.timeout(10):
        chunks = await spoken(voice)

    assert chars(chunks) == CLAUSE
    assert len(second.said) == 1
    assert voice.failures == {"first": 1}


async def test_leaving_early_closes_the_voice_that_speaks():
    first = Speaker("first")
    stream: Any = FallbackSpeech([first, Speaker("second")]).speak(CLAUSE, language="en")
    async with aclosing(stream):
        await anext(stream)

    assert first.closed == 1


@given(
    st.text(alphabet="ab c.,", min_size=1, max_size=40),
    st.lists(st.integers(0, 40), min_size=3, max_size=3),
    st.lists(st.sampled_from(["exactly", "roughly", "nothing"]), min_size=3, max_size=3),
    st.integers(1, 9),
    st.sampled_from([8_000, 16_000, 24_000]),
)
def test_whoever_fails_all_text_is_accounted_for_and_times_never_go_back(
    clause: str, fails_after: list[int], tells: list[str], chunk_chars: int, rate_hz: int
):
    speakers = [
        Speaker(
            str(number), fails_after=[after], tells=its, chunk_chars=chunk_chars, rate_hz=rate_hz
        )
        for number, (after, its) in enumerate(zip(fails_after, tells, strict=True))
    ]
    last = Speaker("last", chunk_chars=chunk_chars)
    chunks = asyncio.run(spoken(FallbackSpeech([*speakers, last]), clause))

    handed = chars(chunks)
    assert clause.startswith(handed) or handed == clause
    if "nothing" not in tells:
        assert handed == clause
    starts = [timed.start_s for chunk in chunks for timed in chunk.alignment]
    assert all(before <= after + 1e-3 for before, after in pairwise(starts))
    # No word is heard by two voices.
    where = [clause.rindex(said) if said else len(clause) for s in speakers for said in s.said]
    assert where == sorted(where)
    assert all(np.abs(chunk.samples).max(initial=0) < 12_000 for chunk in chunks)
