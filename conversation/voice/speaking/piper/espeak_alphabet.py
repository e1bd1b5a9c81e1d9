"""Phonemes of the dictionaries -> those that Piper voices were trained with. Pure.

Piper's training text went through espeak-ng (`en-us`, `en-gb`). Its spelling of English vowels
differs: length is written, and a vowel with the `r` after it is one sign.
"""

import re

from conversation.voice.speaking.english.phonemes import VOWELS

_PLAIN = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "ʤ": "dʒ", "ʧ": "tʃ",
    "ɑ": "ɑː", "ɔ": "ɔː", "u": "uː",
}  # fmt: skip
_R_COLOURED = re.compile(r"(?<![ˈˌ])əɹ(?![ˈˌ]?[AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻᵊɐ])")
_SYLLABIC = re.compile(r"ʔᵊn")
_I = re.compile(r"([ˈˌ]?)i(?!ː)")


def to_espeak(phonemes: str) -> str:
    """Words, parted by spaces, as espeak-ng writes them."""
    return " ".join(map(_word, phonemes.split(" ")))


def _word(phonemes: str) -> str:
    said = _SYLLABIC.sub("ʔn̩", phonemes)
    said = _R_COLOURED.sub("ɚ", said).replace("ɜɹ", "ɜː")
    said = said.replace("ᵊ", "ə")
    lone = sum(phoneme in VOWELS for phoneme in phonemes) == 1
    # "happy" ends in a short one; "he" and "tree" do not.
    said = _I.sub(lambda found: f"{found[1]}i" + ("ː" if found[1] or lone else ""), said)
    written = [_PLAIN.get(phoneme, phoneme) for phoneme in said]
    return "".join(written).replace("ːː", "ː")
