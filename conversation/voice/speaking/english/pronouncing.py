"""An English clause -> phonemes, each with the characters that they say."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conversation.language.spoken_text import spoken_form
from conversation.voice.speaking.english.clause_words import (
    Piece,
    in_plain_letters,
    pieces,
    script_of,
)
from conversation.voice.speaking.english.lexicon import (
    MIN_WORD_IN_CAPITALS,
    Lexicon,
    Variants,
    open_lexicon,
)
from conversation.voice.speaking.english.parts_of_speech import chosen
from conversation.voice.speaking.english.phonemes import SECONDARY, VOWELS, weakened, with_ending
from conversation.voice.speaking.english.unknown_words import UnknownWords, open_unknown_words

MAX_LETTERS_OF_AN_ABBREVIATION = 5
CODE_LETTERS = 2
_VOWEL_LETTERS = frozenset("aeiouy")
_CASE_RUNS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]++")
_ABBREVIATIONS = re.compile(r"([A-Z]{2,})s")
_CONTRACTION = re.compile(r"(?P<stem>.+)'(?P<ending>s|d|ll|ve|re|m)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SaidPart:
    """A word or a pause."""

    phonemes: str
    """Empty for a pause; a space parts words that are said in its place."""
    pause: str
    """One of `. , ; : ! ? … —`; empty for a word."""
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How a clause is said."""

    parts: tuple[SaidPart, ...]
    unreadable: Counter[str]
    """Letters and signs that are left out, by script."""

    @property
    def says_something(self) -> bool:
        """Whether anything is heard."""
        return any(part.phonemes for part in self.parts)


class EnglishSpeaker:
    """Pronounces English."""

    def __init__(self, lexicon: Lexicon, unknown: UnknownWords) -> None:
        self._lexicon = lexicon
        self._unknown = unknown

    def pronounce(self, clause: str) -> Pronunciation:
        """The phonemes of `clause`, in linear time."""
        unreadable: Counter[str] = Counter()
        found = [piece for piece in pieces(clause) if not self._left_out(piece, unreadable)]
        parts: list[SaidPart] = []
        for stretch in _between_pauses(found):
            written = [piece.text for piece in stretch if piece.kind != "pause"]
            words = [text.lower() for text in written]
            shouted = len(words) > 1 and all(text.isupper() for text in written)
            following: str = ""
            said: list[SaidPart] = []
            for at in range(len(stretch) - 1, -1, -1):
                piece = stretch[at]
                if piece.kind == "pause":
                    said.append(SaidPart("", piece.text, piece.start_char, piece.end_char))
                    continue
                phonemes = self._piece(piece, words, at, following=following, shouted=shouted)
                following = phonemes or following
                said.append(SaidPart(phonemes, "", piece.start_char, piece.end_char))
            parts += reversed(said)
        return Pronunciation(tuple(parts), unreadable)

    def _left_out(self, piece: Piece, unreadable: Counter[str]) -> bool:
        """Whether nobody can say it in English; counts what is more than punctuation."""
        if piece.kind in ("pause", "number"):
            return False
        if piece.kind == "sign":
            return not any(char.isalpha() for char in spoken_form(piece.text, "en"))
        if in_plain_letters(piece.text) is not None:
            return False
        unreadable[script_of(piece.text[0])] += len(piece.text)
        return True

    def _piece(
        self, piece: Piece, words: Sequence[str], at: int, *, following: str, shouted: bool
    ) -> str:
        if piece.kind != "word":
            # What should have been put into words before: it is said rather than left out.
            spelled = self.pronounce(spoken_form(piece.text, "en"))
            return " ".join(part.phonemes for part in spelled.parts if part.phonemes)
        small = self._function_word(piece.text, words, at, following)
        return small or self._word(
            piece.text, shouted=shouted, choose=lambda variants: chosen(variants, words, at)
        )

    def _function_word(self, text: str, words: Sequence[str], at: int, following: str) -> str:
        """Words that change with the next one; empty for all others."""
        before_vowel = following.lstrip("ˈˌ")[:1] in VOWELS if following else None
        is_last = at == len(words) - 1
        if text in ("the", "The"):
            return "ði" if before_vowel else "ðə"
        if text in ("to", "To") and not is_last:
            return "tʊ" if before_vowel else "tə"
        if text == "a" or (text == "A" and at == 0):
            return "" if is_last else "ɐ"
        if text in ("an", "An") and not is_last:
            return "ɐn"
        return f"{SECONDARY}I" if text == "I" and not is_last else ""

    def _word(self, text: str, *, shouted: bool, choose: Callable[[Variants], str | None]) -> str:
        known = self._known(text, shouted=shouted)
        if known is not None:
            is_abbreviation = text.isupper() and not shouted and known.get("NOUN", "") is None
            said = None if is_abbreviation else choose(known)
            said = known["DEFAULT"] if said is None and shouted else said
            return said if said is not None else self._lexicon.letters(_letters_in(text))
        if "-" in text:
            return self._joined(text.split("-"), shouted=shouted, choose=choose)
        ending = _CONTRACTION.fullmatch(text)
        if ending is not None:
            stem = self._word(ending["stem"], shouted=shouted, choose=choose)
            return with_ending(stem, ending["ending"].lower(), british=self._lexicon.is_british)
        plain = in_plain_letters(text) or ""
        if plain != text and plain.strip("'"):
            return self._word(plain, shouted=shouted, choose=choose)
        return self._unknown_word(plain.replace("'", ""))

    def _joined(
        self, parts: Sequence[str], *, shouted: bool, choose: Callable[[Variants], str | None]
    ) -> str:
        """Words with hyphens between them; the dictionaries have some prefixes with theirs."""
        said: list[str] = []
        for number, part in enumerate(parts, 1):
            prefix = self._lexicon.find(f"{part.lower()}-") if number < len(parts) else None
            known = prefix["DEFAULT"] if prefix else None
            said.append(known or self._word(part, shouted=shouted, choose=choose))
        return " ".join(said)

    def _known(self, text: str, *, shouted: bool) -> Variants | None:
        """What the dictionaries have, unless the word is an abbreviation."""
        if not (text.isupper() and len(text) > 1 and "." not in text) or shouted:
            return self._lexicon.find_any_case(text)
        exact = self._lexicon.find(text)
        if exact is not None:
            return exact
        is_word = len(text) >= MIN_WORD_IN_CAPITALS and self._lexicon.is_checked(text)
        return self._lexicon.find_any_case(text) if is_word else None

    def _unknown_word(self, plain: str) -> str:
        letters = _letters_in(plain)
        if not letters:
            return ""
        if "." in plain or _is_spelled(letters):
            return self._lexicon.letters(letters)
        if several := _ABBREVIATIONS.fullmatch(letters):
            one = self._lexicon.letters(several[1])
            return with_ending(one, "s", british=self._lexicon.is_british)
        runs = _CASE_RUNS.findall(letters)
        if len(runs) > 1:
            return self._mixed(runs)
        lower = letters.lower()
        compound = self._lexicon.compound(lower) if letters == lower else None
        british = self._lexicon.is_british
        return compound or self._unknown.phonemes(lower, british=british)

    def _mixed(self, runs: Sequence[str]) -> str:
        """E.g. "iPhone", "PhD", "ElevenLabs"."""
        said = [self._run(run) for run in runs]
        return "".join([*(weakened(each) for each in said[:-1]), said[-1]])

    def _run(self, run: str) -> str:
        if len(run) == 1:
            return self._lexicon.letters(run)
        known = self._known(run, shouted=False)
        if known is None:
            return self._unknown_word(run)
        is_abbreviation = run.isupper() and known.get("NOUN", "") is None
        default = None if is_abbreviation else known["DEFAULT"]
        return default or self._lexicon.letters(run)


def open_english(dictionaries: Path, network: Path, *, british: bool = False) -> EnglishSpeaker:
    """Load the dictionaries in a folder and the network in a file.

    Raises:
        SpeechError: One is missing or damaged.
    """
    return EnglishSpeaker(open_lexicon(dictionaries, british=british), open_unknown_words(network))


def _between_pauses(found: Sequence[Piece]) -> Iterator[list[Piece]]:
    """The pieces up to each pause, with it."""
    stretch: list[Piece] = []
    for piece in found:
        stretch.append(piece)
        if piece.kind == "pause":
            yield stretch
            stretch = []
    if stretch:
        yield stretch


def _letters_in(text: str) -> str:
    return "".join(char for char in in_plain_letters(text) or "" if char.isalpha())


def _is_spelled(letters: str) -> bool:
    """Whether an unknown word is an abbreviation: few capitals, or nothing to say it with."""
    small = letters.lower()
    if not any(char in _VOWEL_LETTERS for char in small):
        return True
    if letters.islower():
        # "uk", "eu", "ip" stand in addresses; "de", "di" and "le" in names.
        return len(small) == CODE_LETTERS and small[0] in _VOWEL_LETTERS
    return letters.isupper() and len(letters) <= MAX_LETTERS_OF_AN_ABBREVIATION
