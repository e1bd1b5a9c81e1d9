"""Whisper's parts that need no weights: its tokens and where long sound is cut."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from conversation.voice.hearing.whisper import MAX_WINDOW_S, pieces
from conversation.voice.hearing.whisper_tokens import MAX_KEYWORD_TOKENS, WhisperTokens

WORDS = ["?", "ten", "of", "clubs", "Viva", "Voce", ","]
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|de|>",
    "<|su|>",
    "<|transcribe|>",
    "<|startofprev|>",
    "<|notimestamps|>",
]
RATE = 16_000


@pytest.fixture
def tokens(tmp_path: Path) -> WhisperTokens:
    """The real reader of a vocabulary of seven words: time stamps begin at 15."""
    made = Tokenizer(WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="?"))
    made.pre_tokenizer = Whitespace()
    made.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    made.save(str(tmp_path / "tokenizer.json"))
    return WhisperTokens(tmp_path / "tokenizer.json")


def test_the_languages_are_those_of_the_vocabulary(tokens: WhisperTokens):
    assert tokens.languages == {"en", "de", "su"}


def test_keywords_stand_in_front_as_if_they_had_been_said(tokens: WhisperTokens):
    assert tokens.prompt("de", ()) == [8, 10, 12]
    # <|startofprev|> <0.00> Viva Voce , clubs <3.00>
    assert tokens.prompt("en", ("Viva Voce", "clubs")) == [13, 15, 4, 5, 6, 3, 165, 8, 9, 12]


def test_keywords_leave_room_for_words_and_are_never_cut_in_two(tokens: WhisperTokens):
    prompt = tokens.prompt("en", ["Viva Voce"] * 200)

    assert len(prompt) <= MAX_KEYWORD_TOKENS + 6
    assert (len(prompt) - 6 + 1) % 3 == 0, "whole keywords, and the commas between them"


@pytest.mark.parametrize(
    ("ids", "end_s", "heard", "last"),
    [
        # <0.00> ten of clubs <1.10> <1.10> and what is invented about the silence
        ([15, 1, 2, 3, 70, 70, 1, 2, 3], 0.7, (1, 2, 3), 1.1),
        # a first stamp late in a short utterance is its beginning
        ([45, 1, 65, 2], 0.2, (1,), 1.0),
        # stamps between sentences do not end it
        ([15, 1, 40, 40, 2, 3, 115], 1.8, (1, 2, 3), 2.0),
        ([15, 1, 2, 3], 0.7, (1, 2, 3), 0.0),
        ([1, 2], 0.7, (1, 2), None),
        ([15, 70], 0.7, (), 1.1),
        ([], 0.7, (), None),
    ],
)
def test_words_end_where_the_sound_ends(
    tokens: WhisperTokens, ids: list[int], end_s: float, heard: tuple[int, ...], last: float | None
):
    found = tokens.until(ids, end_s)

    assert found.ids == heard
    assert found.end_s == (None if last is None else pytest.approx(last))


@pytest.mark.parametrize("ids", [[], [1], [1, 2, 3, 6, 4, 5]])
def test_words_joined_are_the_text(tokens: WhisperTokens, ids: list[int]):
    found = tokens.words(ids)

    assert "".join(word for word, _ in found) == tokens.text(ids)
    assert [number for _, number in found] == sorted({number for _, number in found})


def test_long_sound_is_cut_where_it_is_quiet_and_nothing_is_lost():
    loud = np.random.default_rng(1).integers(-9_000, 9_000, 65 * RATE).astype(np.int16)
    for second in (24, 47):
        loud[second * RATE : second * RATE + RATE // 2] = 0

    cut = pieces(loud)

    assert np.array_equal(np.concatenate(cut), loud)
    ends = np.cumsum([len(piece) for piece in cut])[:-1] / RATE
    assert [int(end) for end in ends] == [24, 47]
    assert all(len(piece) <= MAX_WINDOW_S * RATE for piece in cut)


def test_short_sound_is_one_piece():
    assert [len(piece) for piece in pieces(np.zeros(5, np.int16))] == [5]
    assert [len(piece) for piece in pieces(np.zeros(0, np.int16))] == [0]
