"""A speaker with a few words of real dictionaries, and a network that has learned nothing."""

from typing import Any

import numpy as np

from conversation.voice.speaking.english.lexicon import Lexicon, Variants
from conversation.voice.speaking.english.pronouncing import EnglishSpeaker
from conversation.voice.speaking.english.unknown_words import UnknownWords

LETTERS = {
    "A": "ˈA", "B": "bˈi", "C": "sˈi", "D": "dˈi", "E": "ˈi", "F": "ˈɛf", "G": "ʤˈi", "H": "ˈAʧ",
    "I": "ˈI", "J": "ʤˈA", "K": "kˈA", "L": "ˈɛl", "M": "ˈɛm", "N": "ˈɛn", "O": "ˈO", "P": "pˈi",
    "Q": "kjˈu", "R": "ˈɑɹ", "S": "ˈɛs", "T": "tˈi", "U": "jˈu", "V": "vˈi", "W": "dˈʌbᵊlju",
    "X": "ˈɛks", "Y": "wˈI", "Z": "zˈi",
}  # fmt: skip
WORDS: dict[str, str | Variants] = {
    "a": "A", "and": "ænd", "apple": "ˈæpᵊl", "back": "bˈæk", "call": "kˈɔl", "channel": "ʧˈænᵊl",
    "calls": "kˈɔlz", "door": "dˈɔɹ", "file": "fˈIl", "friend": "fɹˈɛnd", "go": "ɡˈO",
    "hello": "həlˈO", "I": "ˈI", "in": "ɪn", "is": "ɪz", "it": "ɪt", "known": "nˈOn",
    "nasa": "nˈæsə", "phone": "fˈOn", "please": "plˈiz", "stop": "stˈɑp", "the": "ði",
    "they": "ðA", "to": "tu", "two": "tˈu", "well": "wˈɛl", "we": "wi", "you": "ju",
    "world": "wˈɜɹld", "Zurich": "zˈuɹɪk", "forty": "fˈɔɹɾi", "percent": "pəɹsˈɛnt",
    "close": {"DEFAULT": "klˈOs", "NOUN": "klˈOz", "VERB": "klˈOz"},
    "record": {"DEFAULT": "ɹˈɛkəɹd", "VERB": "ɹəkˈɔɹd"},
    "read": {"DEFAULT": "ɹˈid", "ADJ": "ɹˈɛd", "VBD": "ɹˈɛd", "VBN": "ɹˈɛd", "VBP": "ɹˈɛd"},
    "live": {"DEFAULT": "lˈIv", "VERB": "lˈɪv"},
    "lives": {"DEFAULT": "lˈIvz", "VERB": "lˈɪvz"},
    "use": {"DEFAULT": "jˈuz", "NOUN": "jˈus"},
    "used": {"DEFAULT": "jˈuzd", "VBD": "jˈust"},
    "minute": {"ADJ": "mInˈut", "DEFAULT": "mˈɪnət"},
    "separate": {"DEFAULT": "sˈɛpəɹət", "VERB": "sˈɛpəɹˌAt"},
    "can": {"DEFAULT": "kæn", "None": "kˈæn"},
    "that": {"DEFAULT": "ðæt", "DT": "ðˈæt"},
    "US": {"DEFAULT": "ˌʌs", "NOUN": None},
    "SQL": "sˈikwəl",
}  # fmt: skip


def an_untrained_network() -> UnknownWords:
    """One that ends every word at once, after what `phonemes_of_unknown` says."""
    random = np.random.default_rng(5)
    arrays: dict[str, Any] = {"fc_w": random.normal(size=(74, 8)), "fc_b": random.normal(size=74)}
    for side, symbols in (("enc", 29), ("dec", 74)):
        arrays |= {
            f"{side}_emb": random.normal(size=(symbols, 4)),
            f"{side}_w_ih": random.normal(size=(24, 4)),
            f"{side}_w_hh": random.normal(size=(24, 8)),
            f"{side}_b_ih": random.normal(size=24),
            f"{side}_b_hh": random.normal(size=24),
        }
    return UnknownWords(arrays)


def a_speaker(**more: str | Variants) -> EnglishSpeaker:
    """Knows `WORDS`, the letters and `more`."""
    return EnglishSpeaker(Lexicon(LETTERS | WORDS | more), an_untrained_network())


def said(clause: str, **more: str | Variants) -> str:
    """The phonemes of `clause`, words and pauses parted by spaces."""
    parts = a_speaker(**more).pronounce(clause).parts
    return " ".join(part.phonemes or part.pause for part in parts)
