"""A Spanish clause -> phonemes, each with the characters that they say. Latin American: seseo.

Spelling tells how a Spanish word is said, but for foreign ones; the rules are those of
`piper-plus-g2p` (MIT). Here they are put into the signs that Kokoro's network was trained on.
"""

import logging
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from conversation.errors import SpeechError
from conversation.voice.speaking.by_rule.spanish_numbers import number_words
from conversation.voice.speaking.english.clause_words import (
    Piece,
    in_plain_letters,
    pieces,
    script_of,
)
from conversation.voice.speaking.english.pronouncing import Pronunciation, SaidPart

STRESS = "\u02c8"
_OPEN = frozenset("aeo")
_VOWELS = frozenset("aeiou")
_GLIDES = {"i": "j", "u": "w"}
_OFFGLIDES = {"i": "\u026a", "u": "\u028a"}
_SIGNS = {"rr": "r", "t\u0283": "\u02a7"}
_DIPHTHONGS = (("a\u026a", "I"), ("a\u028a", "W"), ("e\u026a", "A"))
"""As the network writes them."""
_OWN_LETTERS = frozenset("áéíóúüñ")
_LONGEST_ABBREVIATION = 5
_LETTERS = {
    "a": "á", "b": "be", "c": "ce", "d": "dé", "e": "é", "f": "efe", "g": "ge", "h": "hache",
    "i": "í", "j": "jota", "k": "ka", "l": "ele", "m": "eme", "n": "ene", "ñ": "eñe", "o": "ó",
    "p": "pe", "q": "cu", "r": "erre", "s": "ese", "t": "té", "u": "ú", "v": "uve",
    "w": "doble uve", "x": "equis", "y": "i griega", "z": "zeta",
}  # fmt: skip
"""Their names; an accent where the name would be a word without stress."""
_SAID_SIGNS = {
    "%": "por ciento", "€": "euros", "$": "dólares", "£": "libras", "@": "arroba", "&": "y",
    "+": "más", "=": "igual a", "/": "barra", "_": "guion bajo", "#": "número", "°": "grados",
}  # fmt: skip
_LONGEST_WORD = 60


class SpanishSpeaker:
    """Pronounces Spanish."""

    def __init__(self, phonemes: Callable[[str], Sequence[str]]) -> None:
        """Take what tells the sounds of a word in small letters; see `open_spanish`."""
        self._phonemes = phonemes

    def pronounce(self, clause: str) -> Pronunciation:
        """The phonemes of `clause`, in linear time."""
        unreadable: Counter[str] = Counter()
        found = list(pieces(clause))
        shouted = _is_shouted(found)
        parts: list[SaidPart] = []
        for at, piece in enumerate(found):
            if piece.kind == "pause":
                parts.append(SaidPart("", piece.text, piece.start_char, piece.end_char))
                continue
            follows = found[at + 1] if at + 1 < len(found) else None
            said = self._said(piece, follows, shouted=shouted)
            if said is None:
                unreadable[script_of(piece.text[0])] += len(piece.text)
            elif phonemes := " ".join(filter(None, map(self._word, said.split()))):
                parts.append(SaidPart(phonemes, "", piece.start_char, piece.end_char))
        return Pronunciation(tuple(parts), unreadable)

    def _said(self, piece: Piece, follows: Piece | None, *, shouted: bool) -> str | None:
        """The words for a piece, in small letters; empty when it is left out.

        None when nobody can say it in Spanish.
        """
        if piece.kind == "number":
            noun = follows.text if follows is not None and follows.kind == "word" else ""
            return number_words(piece.text, noun)
        if piece.kind == "sign":
            return _SAID_SIGNS.get(piece.text, "")
        return _word_said(piece.text, shouted=shouted)

    def _word(self, word: str) -> str:
        return network_signs(self._phonemes(word), has_hiatus="í" in word or "ú" in word)


def network_signs(sounds: Sequence[str], *, has_hiatus: bool) -> str:
    """A word's sounds as the network reads them: glides beside vowels, stress on the open one.

    Args:
        sounds: One sound each, and the sign of stress before the vowel that has it.
        has_hiatus: Whether an `í` or `ú` is written, which is a syllable of its own.
    """
    found = [_SIGNS.get(sound, sound) for sound in sounds]
    for at in range(len(found) - 1):
        if found[at] == STRESS and found[at + 1] in _GLIDES and not has_hiatus:
            follows = found[at + 2] if at + 2 < len(found) else ""
            if follows in _VOWELS:  # "bien": the stress is the open vowel's
                found[at], found[at + 1] = _GLIDES[found[at + 1]], STRESS
    for at, sound in enumerate(found):
        if sound not in _GLIDES or (at and found[at - 1] == STRESS):
            continue
        after = next((each for each in found[at + 1 : at + 3] if each != STRESS), "")
        if after in _VOWELS:
            found[at] = _GLIDES[sound]
        elif at and found[at - 1] in _OPEN:
            found[at] = _OFFGLIDES[sound]
    said = "".join(found)
    for written, sign in _DIPHTHONGS:
        said = said.replace(written, sign)
    return said


def open_spanish() -> SpanishSpeaker:
    """Load the rules.

    Raises:
        SpeechError: The extra `voice` is not installed.
    """
    # On import it tells of each language whose packages are missing, with a traceback.
    logging.getLogger("piper_plus_g2p").setLevel(logging.CRITICAL)
    try:
        from piper_plus_g2p.spanish import phonemize_spanish
    except ImportError as error:
        raise SpeechError(
            "Spanish needs more packages. Install them: pip install 'vivavoce[voice]'"
        ) from error
    return SpanishSpeaker(lru_cache(maxsize=4_096)(phonemize_spanish))


def _word_said(text: str, *, shouted: bool) -> str | None:
    if in_plain_letters(text) is None:
        return None
    letters = text.replace(".", "")
    if not shouted and (letters != text or _is_spelled(letters)):
        return " ".join(_LETTERS.get(letter, "") for letter in _spanish(letters))
    return " ".join(
        word[start : start + _LONGEST_WORD]
        for word in _spanish(text).replace("'", "").replace("-", " ").split()
        for start in range(0, len(word), _LONGEST_WORD)
    )


def _spanish(text: str) -> str:
    """Small letters, other marks than those of Spanish left out."""
    small = unicodedata.normalize("NFC", text.lower())
    return "".join(
        char if char in _OWN_LETTERS else (in_plain_letters(char) or "").lower() for char in small
    )


def _is_spelled(letters: str) -> bool:
    """Whether it is said by its letters: few capitals that are no syllables, or no vowel."""
    small = _spanish(letters)
    plain = in_plain_letters(small) or ""
    if not any(char in "aeiouy" for char in plain):
        return True
    if not letters.isupper() or not 1 < len(letters) <= _LONGEST_ABBREVIATION:
        return False
    return not _is_syllables(plain)


def _is_syllables(plain: str) -> bool:
    """Whether letters can be read as a word: no consonants that Spanish does not put together.

    "IVA" and "OTAN" are words, "DNI" and "ADN" are spelled.
    """
    ends = plain[-1] in "aeiouylnrsdz"
    run = ""
    for at, char in enumerate(plain + "a"):
        if char not in "aeiouy":
            run += char
            continue
        starts_word = at == len(run)
        allowed = 1 if starts_word or at == len(plain) else 2
        if len(run) > allowed and not (len(run) == allowed + 1 and run[-1] in "lr"):
            return False
        run = ""
    return ends


def _is_shouted(found: Sequence[Piece]) -> bool:
    words = [piece.text for piece in found if piece.kind == "word"]
    return len(words) > 1 and all(word.isupper() for word in words)
