import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.errors import SpeechError
from conversation.voice.speaking.english.pronouncing import SaidPart
from conversation.voice.speaking.piper.espeak_alphabet import to_espeak
from conversation.voice.speaking.piper.piper_config import read_piper_config
from conversation.voice.speaking.piper.piper_graph import split_graph
from conversation.voice.speaking.piper.piper_voice import (
    CHUNK_FRAMES,
    frame_ranges,
    open_piper,
    phoneme_ids,
)

CONFIG: dict[str, Any] = {
    "audio": {"sample_rate": 22050},
    "espeak": {"voice": "en-us"},
    "phoneme_id_map": {"_": [0], "^": [1], "$": [2], " ": [3], ",": [8], "a": [14]},
}


@pytest.mark.parametrize(
    ("phonemes", "espeak"),
    [
        ("həlˈO", "həlˈoʊ"),
        ("wˈɔɾəɹ", "wˈɔːɾɚ"),
        ("wˈɜɹd", "wˈɜːd"),
        ("hˈæpi", "hˈæpi"),
        ("hi", "hiː"),
        ("tɹˈi", "tɹˈiː"),
        ("ʤˈʌʤ", "dʒˈʌdʒ"),
        ("ʧˈIld", "tʃˈaɪld"),
        ("kˈɑɹ", "kˈɑːɹ"),
        ("lˈɪɾᵊl", "lˈɪɾəl"),
        ("kˈɪʔᵊn", "kˈɪʔn̩"),
        ("jˈuzᵻz", "jˈuːzᵻz"),
        # As British dictionaries write them.
        ("hˈiː", "hˈiː"),
        ("ɡˈQ", "ɡˈəʊ"),
        ("hˈɒt", "hˈɒt"),
        ("kˈɑː", "kˈɑː"),
    ],
)
def test_vowels_are_written_as_in_training(phonemes: str, espeak: str):
    assert to_espeak(phonemes) == espeak


def test_ids_begin_and_end_and_have_a_pad_after_each_phoneme():
    parts = [SaidPart("aa", "", 0, 2), SaidPart("", ",", 2, 3), SaidPart("a?", "", 4, 6)]
    numbered = phoneme_ids(parts, CONFIG["phoneme_id_map"])

    assert numbered.ids == (1, 0, 14, 0, 14, 0, 8, 0, 3, 0, 14, 0, 2)
    assert numbered.parts == (-1, -1, 0, 0, 0, 0, 1, 1, -1, -1, 2, 2, -1)


@given(st.integers(0, 5_000))
def test_chunks_cover_all_frames_once_and_none_is_tiny(total: int):
    ranges = list(frame_ranges(total))

    assert [start for start, _ in ranges] == [0, *(end for _, end in ranges)][: len(ranges)]
    assert (ranges[-1][1] if ranges else 0) == total
    assert all(end - start >= min(total, CHUNK_FRAMES[0]) for start, end in ranges)
    assert all(end - start < CHUNK_FRAMES[-1] + CHUNK_FRAMES[0] for start, end in ranges)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"espeak": {"voice": "de"}}, "speaks 'de'"),
        ({"phoneme_type": "text"}, "kind 'text'"),
        ({"audio": {}}, "is not the settings file"),
        ({"phoneme_id_map": []}, "is not the settings file"),
    ],
)
def test_a_voice_that_cannot_be_spoken_is_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
):
    file = tmp_path / "anna.onnx.json"
    file.write_text(json.dumps(CONFIG | changed), "utf-8")
    with pytest.raises(SpeechError, match=message):
        read_piper_config(file)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\x08\x07"])
def test_a_file_that_is_no_voice_is_refused_and_nothing_is_kept(tmp_path: Path, content: bytes):
    path = tmp_path / "anna.onnx"
    path.write_bytes(content)
    with pytest.raises(SpeechError, match="no graph of a Piper voice"):
        split_graph(path, tmp_path / "parts")

    assert list((tmp_path / "parts").iterdir()) == []


def test_a_voice_needs_its_second_file(tmp_path: Path):
    path = tmp_path / "anna.onnx"
    path.write_bytes(b"")
    with pytest.raises(SpeechError, match=r"two files, `NAME.onnx` and `NAME.onnx.json`"):
        open_piper(path, cache=tmp_path)
