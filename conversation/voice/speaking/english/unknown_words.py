"""Words that no dictionary has, e.g. names: the network of g2p_en (Apache-2.0), run in numpy.

Two recurrent layers of 128 units, from letters to symbols of the CMU dictionary: 1 to 3 ms a word.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conversation.errors import SpeechError
from conversation.voice.speaking.english.phonemes import from_arpabet, weakened

Vector = NDArray[np.floating]

MAX_LETTERS = 14
"""Longer words are read in parts: the network has seen few of them and loses its way."""
_LETTERS = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 3)}
_WORD_END, _START, _END = 2, 2, 3
_SYMBOLS = (
    "<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 "
    "B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG "
    "OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH"
)
_NAMES_OF_SOUNDS = tuple(_SYMBOLS.split())
_NAMES = frozenset(
    f"{side}_{kind}" for side in ("enc", "dec") for kind in ("emb", "w_ih", "w_hh", "b_ih", "b_hh")
) | {"fc_w", "fc_b"}


class UnknownWords:
    """Reads any word of Latin letters aloud as an English speaker might."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        self._arrays = {name: np.asarray(arrays[name], dtype=np.float32) for name in _NAMES}
        self._cached = lru_cache(maxsize=4_096)(self._symbols)

    def phonemes(self, word: str, *, british: bool) -> str:
        """The phonemes of a word in the letters a to z."""
        parts = [
            from_arpabet(list(self._cached(part)), british=british)
            for part in _in_parts(word.lower())
        ]
        return "".join(weakened(part) for part in parts[:-1]) + parts[-1]

    def _symbols(self, word: str) -> tuple[str, ...]:
        arrays = self._arrays
        state = np.zeros(arrays["enc_w_hh"].shape[1], dtype=np.float32)
        for number in (*(_LETTERS[letter] for letter in word), _WORD_END):
            state = self._step("enc", arrays["enc_emb"][number], state)
        said: list[str] = []
        number = _START
        for _ in range(2 * len(word) + 4):
            state = self._step("dec", arrays["dec_emb"][number], state)
            number = int(np.argmax(arrays["fc_w"] @ state + arrays["fc_b"]))
            if number == _END:
                break
            said.append(_NAMES_OF_SOUNDS[number])
        return tuple(said)

    def _step(self, side: str, given: Vector, state: Vector) -> Vector:
        """One step of a gated recurrent unit, whose gates are reset, update and new."""
        arrays = self._arrays
        reset_in, update_in, new_in = np.split(
            arrays[f"{side}_w_ih"] @ given + arrays[f"{side}_b_ih"], 3
        )
        reset_on, update_on, new_on = np.split(
            arrays[f"{side}_w_hh"] @ state + arrays[f"{side}_b_hh"], 3
        )
        update = _sigmoid(update_in + update_on)
        new = np.tanh(new_in + _sigmoid(reset_in + reset_on) * new_on)
        return (1 - update) * new + update * state


def open_unknown_words(path: Path) -> UnknownWords:
    """The network in the file `checkpoint20.npz`.

    Raises:
        SpeechError: It is missing or not that network.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return UnknownWords({name: arrays[name] for name in _NAMES})
    except (OSError, ValueError, KeyError) as error:
        raise SpeechError(
            f"{path} cannot be read as the network for unknown words. Remove its folder, so that "
            "it is fetched anew."
        ) from error


def _sigmoid(values: Vector) -> Vector:
    return 1 / (1 + np.exp(-values))


def _in_parts(word: str) -> list[str]:
    """`word`, in equal parts when it is too long."""
    count = -(-len(word) // MAX_LETTERS)
    size = -(-len(word) // count)
    return [word[at : at + size] for at in range(0, len(word), size)]
