from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.errors import SpeechError
from conversation.voice.speaking.english.pronouncing import SaidPart
from conversation.voice.speaking.kokoro.kokoro_voice import (
    open_network,
    phoneme_numbers,
    read_style,
    without_silence,
)


def test_words_are_parted_by_a_space_and_pauses_stand_at_their_word():
    parts = [SaidPart("wˈɔɾ", "", 0, 3), SaidPart("", ",", 3, 4), SaidPart("ʔ", "", 5, 6)]
    numbers = {sign: at for at, sign in enumerate("wˈɔT, t", 1)}

    ids, owners = phoneme_numbers(parts, numbers)

    assert ids == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert owners == [-1, 0, 0, 0, 0, 1, -1, 2, -1]


@given(st.integers(0, 12_000), st.integers(240, 9_000), st.integers(0, 12_000))
def test_silence_at_the_ends_is_cut_but_for_a_little(before: int, voiced: int, after: int):
    sound = np.concatenate(
        [np.zeros(before), 0.5 * np.ones(voiced), np.zeros(after)], dtype=np.float32
    )
    trimmed = without_silence(sound, tail_s=0.08)

    assert np.array_equal(
        sound[trimmed.start : trimmed.start + len(trimmed.samples)], trimmed.samples
    )
    assert before - trimmed.start <= 0.03 * 24_000 + 120
    assert trimmed.start <= before
    end = trimmed.start + len(trimmed.samples)
    assert end >= min(len(sound), before + voiced) - 120
    assert end <= before + voiced + 0.08 * 24_000 + 120


def test_silence_alone_stays_as_it_is():
    assert len(without_silence(np.zeros(5_000, dtype=np.float32), tail_s=0.1).samples) == 5_000


def test_damaged_files_say_what_to_do(tmp_path: Path):
    (tmp_path / "voice.bin").write_bytes(b"\0" * 999)
    for read in (
        lambda: open_network(tmp_path / "no.onnx", tmp_path / "no.json"),
        lambda: read_style(tmp_path / "voice.bin"),
        lambda: read_style(tmp_path / "nobody.bin"),
    ):
        with pytest.raises(SpeechError, match="Remove this folder"):
            read()
