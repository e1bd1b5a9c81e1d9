"""What phonemes are, and how endings change them. Pure."""

PRIMARY, SECONDARY = "ˈ", "ˌ"
VOWELS = frozenset("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻᵊɐ")
_UNVOICED = frozenset("ptkfθ")
_SIBILANTS = frozenset("szʃʒʧʤ")
_ARPABET = {
    "AA": "ɑ", "AE": "æ", "AO": "ɔ", "AW": "W", "AY": "I", "B": "b", "CH": "ʧ", "D": "d",
    "DH": "ð", "EH": "ɛ", "EY": "A", "F": "f", "G": "ɡ", "HH": "h", "IH": "ɪ", "IY": "i",
    "JH": "ʤ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "OW": "O", "OY": "Y", "P": "p",
    "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "UH": "ʊ", "UW": "u", "V": "v", "W": "w",
    "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip
_STRESSES = {"0": "", "1": PRIMARY, "2": SECONDARY}
_LONG_IN_BRITAIN = {"ɑ": "ɑː", "ɔ": "ɔː", "i": "iː", "u": "uː", "ɜ": "ɜː", "O": "Q", "æ": "a"}


def has_stress(phonemes: str) -> bool:
    """Whether some vowel is stressed."""
    return PRIMARY in phonemes or SECONDARY in phonemes


def with_stress(phonemes: str) -> str:
    """`phonemes` with its first vowel stressed, unless one is."""
    if has_stress(phonemes):
        return phonemes
    at = next((at for at, phoneme in enumerate(phonemes) if phoneme in VOWELS), None)
    return phonemes if at is None else phonemes[:at] + PRIMARY + phonemes[at:]


def weakened(phonemes: str) -> str:
    """`phonemes` as the lesser part of a longer word."""
    return phonemes.replace(SECONDARY, "").replace(PRIMARY, SECONDARY)


def with_ending(phonemes: str, ending: str, *, british: bool) -> str:
    """`phonemes` and what an apostrophe adds: `s`, `d`, `ll`, `ve`, `re`, `m` or `t`."""
    last = phonemes[-1:]
    weak = "ɪ" if british else "ᵻ"
    if ending == "s":
        if last in _SIBILANTS:
            return phonemes + weak + "z"
        return phonemes + ("s" if last in _UNVOICED else "z")
    if ending == "d":
        return phonemes + (weak if last in "td" else "") + "d"
    return phonemes + {"ll": "əl", "ve": "əv", "re": "ə" if british else "əɹ"}.get(ending, ending)


def from_arpabet(symbols: list[str], *, british: bool) -> str:
    """Phonemes for symbols of the CMU dictionary, e.g. `AH0 B AW1 T`."""
    said = "".join(_from_symbol(symbol) for symbol in symbols)
    return with_stress(_british(said) if british else _flapped(said))


def _from_symbol(symbol: str) -> str:
    sound, stress = symbol.rstrip("012"), _STRESSES.get(symbol[-1], "")
    if sound == "AH":
        return f"{stress}ʌ" if stress else "ə"
    if sound == "ER":
        return f"{stress}ɜɹ" if stress else "əɹ"
    return stress + _ARPABET.get(sound, "")


def _flapped(said: str) -> str:
    """In America a `t` between vowels, the second without stress, is a tap."""
    return "".join(
        "ɾ"
        if phoneme == "t"
        and 0 < at < len(said) - 1
        and (said[at - 1] in VOWELS or said[at - 1] == "ɹ")
        and said[at + 1] in VOWELS
        else phoneme
        for at, phoneme in enumerate(said)
    )


def _british(said: str) -> str:
    """In Britain an `r` is heard before a vowel only."""
    kept: list[str] = []
    for at, phoneme in enumerate(said):
        follows = said[at + 1 :].lstrip(PRIMARY + SECONDARY)[:1]
        if phoneme == "ɹ" and follows not in VOWELS:
            continue
        kept.append(_LONG_IN_BRITAIN.get(phoneme, phoneme))
    return "".join(kept)
