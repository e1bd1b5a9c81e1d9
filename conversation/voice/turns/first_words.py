"""The growing text of a turn to spoken sentences, the first words before their sentence is whole.

Pure. While the model still writes its first sentence, everything up to a pause in it can be said:
the user hears it while the rest is written.
"""

import re

from conversation.language.spoken_text import SpokenPiece, SpokenStream, spoken_pieces
from conversation.language.spoken_titles import NO_TITLES, SpokenTitles

_LEAST_WORDS = 3
_WITHIN_CHARS = 200
"""Who has waited so long for a pause can wait for the end of the sentence."""
_PAUSE = re.compile(r"(?<=[^\W\d_])[,;:](?=\s+[^\W\d_])")
"""Between words: a comma beside a digit or a sign may be a part of what is rewritten."""
_OPEN = re.compile(r"[\[(*_`<|#\"\u201c\u201e\u00ab~]")
"""Signs that may stand for more than themselves once the rest is there."""


class SpokenTurn:
    """Deltas of a turn in, sentences as they are read aloud out, with their places in its text."""

    def __init__(self, language: str, *, titles: SpokenTitles = NO_TITLES) -> None:
        self._language = language
        self._titles = titles
        self._stream = self._new_stream()
        self._has_begun = False
        """Whether anything of the first sentence was given out."""
        self._offset = 0
        self.text = ""
        """Everything that came."""

    def feed(self, delta: str) -> list[SpokenPiece]:
        """What can be said now."""
        self.text += delta
        pieces = self._placed(self._stream.feed(delta))
        if pieces or self._has_begun:
            self._has_begun = True
            return pieces
        cut = first_cut(self.text)
        if cut is None:
            return []
        early = [
            # A voice must not fall here as it does at the end of a sentence.
            SpokenPiece(_held_up(piece.text), piece.start_char, piece.end_char)
            for piece in spoken_pieces(self.text[:cut], self._language, titles=self._titles)
        ]
        self._has_begun, self._offset = True, cut
        self._stream = self._new_stream()
        return early + self._placed(self._stream.feed(self.text[cut:]))

    def finish(self) -> list[SpokenPiece]:
        """What is left when no more text comes, or none for a while."""
        pieces = self._placed(self._stream.finish())
        self._stream, self._offset = self._new_stream(), len(self.text)
        return pieces

    def _new_stream(self) -> SpokenStream:
        return SpokenStream(self._language, titles=self._titles)

    def _placed(self, pieces: list[SpokenPiece]) -> list[SpokenPiece]:
        return [
            SpokenPiece(piece.text, piece.start_char + self._offset, piece.end_char + self._offset)
            for piece in pieces
        ]


def _held_up(text: str) -> str:
    return text if text.endswith((",", ";", ":")) else f"{text},"


def first_cut(text: str) -> int | None:
    """Where the beginning of a sentence can be said by itself; None where it must not yet."""
    for match in _PAUSE.finditer(text, 0, _WITHIN_CHARS):
        begun = text[: match.end()]
        if _OPEN.search(begun):
            return None
        if len(begun.split()) >= _LEAST_WORDS:
            return match.end()
    return None
