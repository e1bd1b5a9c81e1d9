"""Formats of the wire, mu-law, and rates that change in a stream."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversation.agent.models.voice_config import AudioFormat
from conversation.errors import AudioError
from conversation.voice.audio import (
    FORMATS,
    AudioDecoder,
    AudioEncoder,
    StreamResampler,
    audio_format,
    from_base64,
    from_mulaw,
    rate_of,
    resampled,
    to_base64,
    to_mulaw,
)
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

RATES = sorted({rate_of(name) for name in FORMATS} - {SAMPLE_RATE_HZ})


def tone(hz: float, *, rate_hz: int, seconds: float, size: float = 12_000) -> Samples:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (size * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def noise(count: int, seed: int = 1) -> Samples:
    return np.random.default_rng(seed).integers(-30_000, 30_000, count).astype(np.int16)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


@pytest.mark.parametrize("lost", [1, 33, 2_047])
@pytest.mark.parametrize("hz", [90, 440, 1_300])
def test_a_byte_that_is_lost_does_not_turn_the_rest_into_noise(lost: int, hz: float):
    data = tone(hz, rate_hz=SAMPLE_RATE_HZ, seconds=0.5).astype("<i2").tobytes()
    decoder = AudioDecoder("pcm_16000")

    decoder.decode(data[:lost])  # of 2,048; the other bytes never come
    found = decoder.decode(data[2_048:4_096])

    assert np.array_equal(found, np.frombuffer(data[2_048:4_096], "<i2"))
    assert np.array_equal(decoder.decode(data[4_096:]), np.frombuffer(data[4_096:], "<i2"))


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=12), st.integers(0, 3))
def test_voices_of_any_making_may_be_cut_in_mid_sample(sizes: list[int], kind: int):
    sound = tone(200, rate_hz=SAMPLE_RATE_HZ, seconds=0.5) + noise(8_000) // 40
    sound = (sound, sound // 256 * 256, sound // 2_000, np.zeros(8_000, np.int16))[kind]
    data, decoder, place = sound.astype("<i2").tobytes(), AudioDecoder("pcm_16000"), 0
    found: list[Samples] = []
    for size in [*sizes, len(data)]:
        found.append(decoder.decode(data[place : place + size]))
        place += size

    assert np.array_equal(np.concatenate(found), sound)


cuts = st.lists(st.integers(0, 4_000), max_size=12)


@settings(max_examples=40, deadline=None)
@given(cuts=cuts, name=st.sampled_from(FORMATS), count=st.integers(0, 4_001))
def test_chunks_of_bytes_change_nothing_on_the_way_in(
    cuts: list[int], name: AudioFormat, count: int
):
    data = noise(count).tobytes()[: count | 1]
    whole = AudioDecoder(name)
    expected = np.concatenate((whole.decode(data), whole.finish()))

    pieces = AudioDecoder(name)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = [pieces.decode(data[start:end]) for start, end in pairwise(edges)]

    assert np.array_equal(np.concatenate((*found, pieces.finish())), expected)


@settings(max_examples=40, deadline=None)
@given(cuts=cuts, name=st.sampled_from(FORMATS), count=st.integers(0, 4_000))
def test_chunks_of_samples_change_nothing_on_the_way_out(
    cuts: list[int], name: AudioFormat, count: int
):
    samples = noise(count)
    whole = AudioEncoder(name)
    expected = whole.encode(samples) + whole.finish()

    pieces = AudioEncoder(name)
    edges = [0, *sorted(min(cut, count) for cut in cuts), count]
    found = [pieces.encode(samples[start:end]) for start, end in pairwise(edges)]

    assert all(len(piece) % 2 == 0 for piece in found if name != "ulaw_8000")
    assert b"".join(found) + pieces.finish() == expected


@settings(max_examples=30, deadline=None)
@given(from_hz=st.sampled_from(RATES), to_hz=st.sampled_from(RATES), count=st.integers(0, 3_000))
def test_a_stream_has_the_length_that_its_rates_give(from_hz: int, to_hz: int, count: int):
    assert len(resampled(noise(count), from_hz=from_hz, to_hz=to_hz)) == -(
        -count * to_hz // from_hz
    )


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_tone_stays_a_tone_in_any_rate_and_where_it_was(rate_hz: int):
    there = resampled(
        tone(1_000, rate_hz=SAMPLE_RATE_HZ, seconds=0.5), from_hz=SAMPLE_RATE_HZ, to_hz=rate_hz
    )
    expected = tone(1_000, rate_hz=rate_hz, seconds=0.5)
    inside = slice(rate_hz // 50, -rate_hz // 50)

    assert np.abs(there[inside].astype(int) - expected[inside].astype(int)).max() <= 12


def test_what_a_lower_rate_cannot_hold_is_filtered_out():
    high = tone(11_000, rate_hz=48_000, seconds=0.5)

    assert loudness(resampled(high, from_hz=48_000, to_hz=16_000)[1_000:-1_000]) < 12


def test_the_lag_of_a_stream_is_the_reach_of_its_filter():
    for rate_hz in RATES:
        rate = StreamResampler(rate_hz, SAMPLE_RATE_HZ)
        made = len(rate.push(np.zeros(rate_hz, dtype=np.int16)))

        assert SAMPLE_RATE_HZ - made <= 40, rate_hz


def test_a_long_stream_holds_no_more_than_its_filter_reaches():
    rate = StreamResampler(44_100, 16_000)
    for _ in range(50):
        rate.push(noise(441))

    assert len(rate._held) < 2_000  # pyright: ignore[reportPrivateUsage]


def test_mulaw_is_that_of_the_standard():
    values = {0: 0xFF, 8: 0xFE, -8: 0x7E, 1_000: 0xCE, -1_000: 0x4E, 32_635: 0x80, -32_768: 0x00}
    samples = np.array(list(values), dtype=np.int16)

    assert list(to_mulaw(samples)) == list(values.values())
    assert list(from_mulaw(bytes([0xFF, 0x7F, 0x80, 0x00, 0xCE]))) == [0, 0, 32_124, -32_124, 988]


def test_mulaw_comes_back_as_itself():
    codes = bytes(code for code in range(256) if code != 0x7F)  # the other way to write zero

    assert to_mulaw(from_mulaw(codes)) == codes


def test_mulaw_is_never_further_off_than_half_its_step():
    samples = np.arange(-32_635, 32_636, dtype=np.int16)
    off = np.abs(from_mulaw(to_mulaw(samples)).astype(int) - samples.astype(int))
    step = np.maximum(8, 2.0 ** np.floor(np.log2(np.abs(samples.astype(int)) + 132) - 4))

    assert (off <= step / 2).all()


@pytest.mark.parametrize("text", ["abc", "a b=", "ab-_", "äbcd", "=", "QUJD\n!"])
def test_what_is_no_base64_is_refused(text: str):
    with pytest.raises(AudioError, match="base64"):
        from_base64(text)


def test_base64_goes_both_ways():
    assert from_base64(to_base64(b"\x00\xff\x10")) == b"\x00\xff\x10"
    assert from_base64("") == b""


def test_an_unknown_format_is_refused_with_those_there_are():
    with pytest.raises(AudioError, match=r"'mp3_44100'.*pcm_8000.*ulaw_8000"):
        audio_format("mp3_44100")
