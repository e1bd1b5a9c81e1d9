"""The tokens that Whisper reads and writes: languages, time stamps and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIMESTAMP_S = 0.02
"""What a step of a time stamp stands for."""
MAX_KEYWORD_TOKENS = 120
"""Of the prompt: the decoder reads 448 tokens in all, and the words need their share."""
_KEYWORDS_TOOK = 150
"""Steps of a time stamp: three seconds."""
_FIRST_AND_LAST_LANGUAGE = ("<|en|>", "<|su|>")


@dataclass(frozen=True, slots=True)
class HeardTokens:
    """What a decoded window says."""

    ids: tuple[int, ...]
    """Of words, without anything special."""
    end_s: float | None
    """The last time stamp before the decoder was stopped; None where it set none."""


class WhisperTokens:
    """Whisper's multilingual vocabulary."""

    def __init__(self, tokenizer_file: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._start = self._id("<|startoftranscript|>")
        self._transcribe = self._id("<|transcribe|>")
        self._previous = self._id("<|startofprev|>")
        self._end = self._id("<|endoftext|>")
        self._first_stamp = self._id("<|notimestamps|>") + 1
        first, last = (self._id(token) for token in _FIRST_AND_LAST_LANGUAGE)
        names = {number: self._tokenizer.id_to_token(number) for number in range(first, last + 1)}
        self._languages = {name[2:-2]: number for number, name in names.items() if name}

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that it can hear, e.g. `en`."""
        return frozenset(self._languages)

    def prompt(self, language: str, keywords: Sequence[str]) -> list[int]:
        """Return what stands before the first word: keywords as if they had just been said."""
        start = self.start(language)
        said = self._keyword_ids(keywords)
        if not said:
            return start
        # Without time stamps of its own, what was said before makes the decoder set none either,
        # and a cut window then repeats itself seven times out of eight; with them, once in ten.
        stamped = (self._first_stamp, *said, self._first_stamp + _KEYWORDS_TOOK)
        return [self._previous, *stamped, *start]

    def until(self, ids: Sequence[int], end_s: float) -> HeardTokens:
        """Return the words up to the first time stamp at or after `end_s`.

        What a cut window holds after its sound is silence, and what the decoder writes about it is
        invented.
        """
        words: list[int] = []
        last: float | None = None
        for number in ids:
            if number >= self._first_stamp:
                last = (number - self._first_stamp) * TIMESTAMP_S
                if words and last >= end_s:
                    break
            elif number < self._end:
                words.append(number)
        return HeardTokens(tuple(words), last)

    def text(self, ids: Sequence[int]) -> str:
        """Return words as text."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True).strip()

    def words(self, ids: Sequence[int]) -> list[tuple[str, int]]:
        """Return the text word by word, each with the number of its first token.

        Joined, the words are `text(ids)`: each keeps the blank before it. A script without blanks
        is one word.
        """
        found: list[tuple[str, int]] = []
        before = ""
        for number in range(len(ids)):
            decoded = self._tokenizer.decode(list(ids[: number + 1]), skip_special_tokens=True)
            if decoded.endswith("\ufffd") and number + 1 < len(ids):
                continue  # half a character: its other bytes come with the next token
            piece = decoded[len(before) :]
            before = decoded
            if not found:
                found.append((piece.lstrip(), number))
            elif piece.startswith(" "):
                found.append((piece, number))
            else:
                found[-1] = (found[-1][0] + piece, found[-1][1])
        if found:
            found[-1] = (found[-1][0].rstrip(), found[-1][1])
        return found

    def ids(self, text: str) -> list[int]:
        """Return the tokens of `text` after a blank."""
        return self._tokenizer.encode(f" {text}", add_special_tokens=False).ids

    def start(self, language: str) -> list[int]:
        """Return what stands right before the first word."""
        return [self._start, self._languages[language], self._transcribe]

    def _keyword_ids(self, keywords: Sequence[str]) -> list[int]:
        """Tokens of as many whole keywords as there is room for."""
        said: list[int] = []
        for keyword in keywords:
            text = f", {keyword}" if said else f" {keyword}"
            ids = self._tokenizer.encode(text, add_special_tokens=False).ids
            if len(said) + len(ids) > MAX_KEYWORD_TOKENS:
                break
            said += ids
        return said

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ValueError(f"{token} is no token of this vocabulary")
        return number
