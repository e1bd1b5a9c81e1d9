import asyncio
import io
import logging
from collections.abc import Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import SpeechError
from conversation.voice.ports import SpeechChunk, SpeechSynthesizer
from conversation.voice.speaking.open_speech import open_speech
from conversation.voice.speaking.providers.encoded_sound import SoundDecoder
from tests.conversation.voice.speaking.providers.no_weights import without_weights
from tests.conversation.voice.speaking.providers.speech_server import (
    Answer,
    SpeechServer,
    raw,
    told,
    tone,
    wav,
)

CLAUSE = "We refund the price in thirty days."


def opened(section: dict[str, Any], **secrets: str) -> SpeechSynthesizer:
    return open_speech(
        VoiceSection.model_validate(section),
        language="en",
        weights=without_weights(),
        secret=secrets.get,
    )


def openai(address: str, **tts: Any) -> SpeechSynthesizer:
    return opened({"tts": {"model": "openai/tts-1", "api_base": address, **tts}})


def elevenlabs(address: str, **tts: Any) -> SpeechSynthesizer:
    section = {"model": "elevenlabs/eleven_flash_v2_5", "api_base": address, **tts}
    return opened({"voice_id": "anna", "tts": section})


async def spoken(voice: SpeechSynthesizer, clause: str = CLAUSE) -> list[SpeechChunk]:
    async with asyncio.timeout(20):
        return [chunk async for chunk in voice.speak(clause, language="en", is_first=True)]


def chars(chunks: Sequence[SpeechChunk]) -> str:
    return "".join(timed.chars for chunk in chunks for timed in chunk.alignment)


def sound(chunks: Sequence[SpeechChunk]) -> Any:
    return np.concatenate([chunk.samples for chunk in chunks])


def assert_times_grow(chunks: Sequence[SpeechChunk]) -> None:
    starts = [timed.start_s for chunk in chunks for timed in chunk.alignment]
    assert all(before <= after + 1e-9 for before, after in pairwise(starts))


async def test_openai_sound_comes_as_it_is_made_with_an_estimate_of_its_words():
    samples = tone(2.0)
    blocks = [raw(samples)[at : at + 4_801] for at in range(0, 96_000, 4_801)]
    async with SpeechServer([Answer(blocks)]) as server:
        chunks = await spoken(openai(f"{server.address}/v1", speed=1.1))

    assert len(chunks) > 5
    assert np.array_equal(sound(chunks), samples)
    assert chars(chunks) == CLAUSE
    assert all(chunk.is_estimated for chunk in chunks)
    assert_times_grow(chunks)
    assert server.asked[0].path == "/v1/audio/speech"
    assert server.asked[0].body == {
        "model": "tts-1",
        "voice": "alloy",
        "input": CLAUSE,
        "response_format": "wav",
        "speed": 1.1,
    }
    assert "authorization" not in server.asked[0].headers


async def test_the_first_chunk_is_there_before_the_last_is_made():
    async with SpeechServer([Answer([raw(tone(0.5))], waits=True)]) as server:
        voice = openai(server.address)
        stream: Any = voice.speak(CLAUSE, language="en", is_first=True)
        async with asyncio.timeout(10), aclosing(stream):
            first = await anext(stream)
        for _ in range(200):
            if server.closed_early:
                break
            await asyncio.sleep(0.01)

    assert len(first.samples) == 12_000
    assert server.closed_early == 1


async def test_the_key_is_taken_from_the_variable_that_the_agent_names():
    tts = {"model": "openai/tts-1", "api_key_variable": "OUR_KEY"}
    async with SpeechServer([Answer([raw(tone(0.2))])]) as server:
        section = {"voice_id": "nova", "tts": {**tts, "api_base": server.address}}
        await spoken(opened(section, OUR_KEY="k-1", OPENAI_API_KEY="other"))

    assert server.asked[0].headers["authorization"] == "Bearer k-1"
    assert server.asked[0].body["voice"] == "nova"


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000, 48_000])
@pytest.mark.parametrize("size", [None, 0, 0xFFFFFFFF])
async def test_a_wav_file_is_played_while_it_comes_in(rate_hz: int, size: int | None):
    content = wav(tone(1.0, rate_hz), rate_hz, size=size, extra=b"LIST\x04\x00\x00\x00abcd")
    tail = b"LIST\x04\x00\x00\x00abcd" if size is None else b""
    blocks = [(content + tail)[at : at + 3_001] for at in range(0, len(content + tail), 3_001)]
    async with SpeechServer([Answer(blocks, content_type="audio/wav")]) as server:
        chunks = await spoken(openai(server.address))

    assert len(sound(chunks)) == pytest.approx(24_000, abs=2)
    assert len(chunks) > 3
    middle = sound(chunks)[2_000:22_000]
    assert np.abs(middle - tone(1.0)[2_000:22_000]).max() < 80


@pytest.mark.parametrize("form", ["MP3", "FLAC", "OGG"])
async def test_a_file_of_another_format_is_played_when_it_is_whole(form: str):
    soundfile = pytest.importorskip("soundfile")
    file = io.BytesIO()
    soundfile.write(file, tone(1.0), 24_000, format=form)
    content = file.getvalue()
    async with SpeechServer([Answer([content[:999], content[999:]], content_type="")]) as server:
        chunks = await spoken(openai(server.address))

    assert len(sound(chunks)) == pytest.approx(24_000, abs=3_000)
    assert chars(chunks) == CLAUSE


@given(st.lists(st.integers(1, 700), min_size=1, max_size=60), st.booleans())
def test_how_an_answer_is_cut_into_blocks_changes_nothing(sizes: list[int], is_wav: bool):
    samples = tone(0.3)
    content = wav(samples) if is_wav else raw(samples)
    decoder, at, heard = SoundDecoder(), 0, [np.zeros(0, dtype=np.int16)]
    for size in (*sizes, len(content)):
        heard.append(decoder.feed(content[at : at + size]))
        at += size
    heard.append(decoder.finish())

    assert np.array_equal(np.concatenate(heard), samples)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(status=401, content_type="application/json"), "OPENAI_API_KEY"),
        (Answer(status=404), "voice_id"),
        (Answer(status=429), "fallbacks"),
        (Answer(status=500), "failed"),
        (Answer([b'{"error": "no"}'], content_type="application/json"), "not sound"),
        (Answer([b"<html>hello hello</html>"], content_type="text/html"), "not sound"),
        (Answer([]), "no sound"),
        (Answer([raw(tone(0.3))], cut=True), "broke off"),
        (Answer([b"ID3" + bytes(4_000)]), "no sound in a known format"),
        (Answer([wav(tone(0.2), 1_234_567)]), "samples a second"),
    ],
)
async def test_what_goes_wrong_is_said_without_the_words(
    answer: Answer, message: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    async with SpeechServer([answer]) as server:
        with pytest.raises(SpeechError) as raised:
            await spoken(openai(server.address))

    assert message in str(raised.value)
    assert "openai/tts-1:alloy" in str(raised.value)
    assert "refund" not in str(raised.value) + caplog.text


async def test_the_code_of_a_refusal_is_told_and_its_sentence_is_not():
    content = b'{"error": {"message": "you said: We refund", "code": "voice_gone"}}'
    async with SpeechServer([Answer([content], status=400)]) as server:
        with pytest.raises(SpeechError, match="voice_gone") as raised:
            await spoken(openai(server.address))

    assert "refund" not in str(raised.value)


async def test_nobody_listens_there():
    async with SpeechServer([]) as server:
        address = server.address
    with pytest.raises(SpeechError, match="cannot be reached"):
        await spoken(openai(address))


@pytest.mark.parametrize("counts_afresh", [False, True])
async def test_elevenlabs_tells_when_each_character_is_said(counts_afresh: bool):
    half = len(CLAUSE) // 2
    second = 0.0 if counts_afresh else half * 0.1
    lines = told(CLAUSE[:half], tone(half * 0.1), start_s=0.0)
    lines += told(CLAUSE[half:], tone((len(CLAUSE) - half) * 0.1), start_s=second)
    blocks = [lines[at : at + 10_000] for at in range(0, len(lines), 10_000)]
    async with SpeechServer([Answer(blocks, content_type="application/json")]) as server:
        chunks = await spoken(elevenlabs(server.address, stability=0.4, speed=0.9))

    timed = [each for chunk in chunks for each in chunk.alignment]
    assert "".join(each.chars for each in timed) == CLAUSE
    assert not any(chunk.is_estimated for chunk in chunks)
    assert [each.start_s for each in timed] == pytest.approx(
        [at * 0.1 for at in range(len(CLAUSE))]
    )
    asked = server.asked[0]
    assert asked.path == ("/v1/text-to-speech/anna/stream/with-timestamps?output_format=pcm_24000")
    assert asked.body == {
        "text": CLAUSE,
        "model_id": "eleven_flash_v2_5",
        "language_code": "en",
        "voice_settings": {"stability": 0.4, "speed": 0.9},
    }


@given(st.data())
def test_whatever_a_provider_tells_of_characters_all_are_handed_out(data: st.DataObject):
    from conversation.voice.speaking.providers import elevenlabs_speech

    clause = data.draw(st.text(min_size=1, max_size=20))
    characters: Any = getattr(elevenlabs_speech, "_Characters")  # noqa: B009
    heard: Any = getattr(elevenlabs_speech, "_HeardCharacters")(clause)  # noqa: B009
    times = st.lists(st.floats(-1, 9), max_size=9)
    timed: list[Any] = []
    for _ in range(data.draw(st.integers(0, 4))):
        told = characters(
            characters=data.draw(st.lists(st.sampled_from([*clause, "x", "", "ab"]), max_size=9)),
            character_start_times_seconds=data.draw(times),
            character_end_times_seconds=data.draw(times),
        )
        timed += heard.take(told, data.draw(st.floats(0, 5)))
    timed += heard.finish(data.draw(st.floats(0, 9)))

    assert "".join(each.chars for each in timed) == clause
    assert all(each.duration_s >= 0 for each in timed)


@pytest.mark.parametrize(
    "lines",
    [b"no json\n", b'{"audio_base64": "???"}\n', b'{"audio_base64": 5}\n', b"[]\n"],
)
async def test_elevenlabs_answers_that_are_none_are_errors(lines: bytes):
    async with SpeechServer([Answer([lines])]) as server:
        with pytest.raises(SpeechError, match="eleven_flash"):
            await spoken(elevenlabs(server.address))


async def test_marks_alone_ask_nobody():
    async with SpeechServer([]) as server:
        chunks = await spoken(openai(server.address), "...")

    assert chars(chunks) == "..."
    assert len(sound(chunks)) == 0


async def test_every_other_provider_is_asked_through_litellm_a_clause_at_a_time():
    content = wav(tone(1.0))
    async with SpeechServer([Answer([content], content_type="audio/wav")]) as server:
        section = {
            "voice_id": "alloy",
            "tts": {"model": "azure/our-voice", "api_base": server.address, "speed": 1.2},
        }
        chunks = await spoken(opened(section, AZURE_API_KEY="k-2"))

    assert len(chunks) == 1
    assert np.array_equal(chunks[0].samples, tone(1.0))
    assert chars(chunks) == CLAUSE
    assert chunks[0].is_estimated
    asked = server.asked[0]
    assert asked.body["input"] == CLAUSE
    assert asked.body["voice"] == "alloy"
    assert cast("float", asked.body["speed"]) == 1.2


async def test_litellm_errors_say_nothing_of_the_words():
    content = b'{"error": {"message": "bad: We refund", "code": "bad"}}'
    async with SpeechServer(
        [Answer([content], status=400, content_type="application/json")] * 3
    ) as s:
        section = {"voice_id": "alloy", "tts": {"model": "azure/our-voice", "api_base": s.address}}
        with pytest.raises(SpeechError) as raised:
            await spoken(opened(section, AZURE_API_KEY="k-2"))

    assert "azure/our-voice" in str(raised.value)
    assert "refund" not in str(raised.value)
