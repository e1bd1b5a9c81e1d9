"""Which sentence of an answer is supported by which passage. Pure, and without a language model.

A sentence is supported when its telling words stand close together in a passage, and all of its
numbers, names, days and months stand there too. That is checked after the fact, so a model cannot
claim a source that does not carry it.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from conversation.grounding.checking.carried_words import SUPPORT_THRESHOLD
from conversation.grounding.checking.named_dates import named_dates
from conversation.grounding.checking.replaced_names import replaces_a_name
from conversation.grounding.checking.stated_names import is_known, names_in, stems
from conversation.grounding.checking.table_rows import columns_of_lines
from conversation.grounding.courteous import is_courteous, without_openers
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.language.telling_words import (
    is_negated,
    numbers_of,
    plain_quotes,
    telling_words,
    written_in,
)
from conversation.transcript import Citation, ToolCall
from kb.document import RetrievedPassage
from kb.words.sentences import Sentence, split_sentences

Similarity = Callable[[str, Sequence[str]], Sequence[float]]
"""Cosine similarity of a sentence to each of several texts, e.g. by an embedder."""

SIMILAR_THRESHOLD = 0.3
"""The same when an embedder finds sentence and window alike."""
SIMILARITY_FLOOR = 0.7
"""Cosine from which two sentences count as alike (MiniLM: paraphrases lie above .7)."""
MAX_WINDOW_SENTENCES = 3
CONTRADICTION_FACTOR = 0.5
"""On the score of a window that is negated when the sentence is not, or the reverse."""

_SPOKEN_TO = re.compile(r",\s+[^\W\d_]+(?=\s*[.!?]*\Z)")
_ASKS = ("?", "\uff1f", "\u061f", "\u037e")


@dataclass(frozen=True, slots=True)
class Attribution:
    """What of an answer is supported."""

    citations: tuple[Citation, ...] = ()
    """In the order of the sentences that they support."""
    unsupported_spans: tuple[tuple[int, int], ...] = ()
    """[start, end) in the answer of sentences that state something no passage supports."""
    grounded_share: float | None = None
    """Supported sentences among those that state something; None when none does."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Consecutive sentences of one passage that carry part of a sentence."""

    passage: RetrievedPassage
    start: int
    end: int
    """In the passage's text."""
    found: frozenset[str]
    wanted: int
    """Telling words of the sentence, in the language of the passage."""
    language: str
    """Of the passage."""
    score: float

    @property
    def numbers(self) -> frozenset[str]:
        """All that the passage and its titles name."""
        named = numbers_of(self.passage.text, self.language)
        return named | numbers_of(_titles(self.passage), self.language)

    @property
    def dates(self) -> frozenset[str]:
        """Days and months that these sentences and the titles name."""
        return named_dates(f"{_titles(self.passage)}. {self.text}", self.language)

    @property
    def stems(self) -> frozenset[str]:
        """Of all words of the passage and its titles."""
        return _stems_of(f"{_titles(self.passage)} {self.passage.text}", self.language)

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence that states something."""

    sentence: Sentence
    said: str
    """Its text without whom it speaks to."""
    language: str
    numbers: frozenset[str]
    dates: frozenset[str]
    names: frozenset[str]
    """Words that are written as names."""

    def is_held_by(self, *windows: _Window) -> bool:
        """Whether what can be wrong by a single word stands in the windows' passages."""
        if not self.numbers <= frozenset[str]().union(*(window.numbers for window in windows)):
            return False
        if not self.dates <= frozenset[str]().union(*(window.dates for window in windows)):
            return False
        if len(windows) == 1 and self._replaces_a_name(windows[0]):
            return False
        if not self.names:
            return True
        return all(
            any(is_known(name, window.stems, window.language) for window in windows)
            for name in self.names
        )

    def _replaces_a_name(self, window: _Window) -> bool:
        return replaces_a_name(self.said, window.text, window.language)


def attribute(
    answer: str,
    passages: Sequence[RetrievedPassage],
    *,
    similarity: Similarity | None = None,
    language: str = "en",
    own_words: str = "",
) -> Attribution:
    """Find the passages that support each sentence of `answer`.

    Sentences that state nothing (questions, courtesies, "I don't know") are left out of the
    share. A sentence whose parts stand in two passages cites both.

    Args:
        answer: What the agent said.
        passages: What it was shown.
        similarity: Lets a sentence in other words count as supported; without it, words decide.
        language: That is spoken; texts that are clearly in another one are read in theirs.
        own_words: What the agent was told; names that stand there need no passage.
    """
    spoken = written_in(answer, language)
    citations: list[Citation] = []
    unsupported: list[tuple[int, int]] = []
    claims = 0
    for sentence in split_sentences(answer):
        if not states_something(sentence.text, spoken):
            continue
        claims += 1
        claim = _claim(sentence, spoken, own_words)
        found = _support(claim, passages, similarity)
        if not found:
            unsupported.append((sentence.start, sentence.end))
        citations.extend(_citation(sentence, window) for window in found)
    share = None if claims == 0 else (claims - len(unsupported)) / claims
    return Attribution(tuple(citations), tuple(unsupported), share)


def states_something(sentence: str, language: str = "en") -> bool:
    """Whether the sentence can be true or false: no question, courtesy or confession."""
    rest = without_openers(plain_quotes(sentence.strip()))
    words = telling_words(rest, language)
    if not words or rest.endswith(_ASKS) or admits_not_knowing(rest):
        return False
    return not is_courteous(rest, words)


def _claim(sentence: Sentence, language: str, own_words: str) -> _Claim:
    known = _stems_of(own_words, language)
    # "..., Anna." speaks to somebody.
    said = _SPOKEN_TO.sub("", sentence.text)
    names = names_in(said, 0, len(said), language)
    return _Claim(
        sentence,
        said,
        language,
        numbers_of(sentence.text, language),
        named_dates(sentence.text, language),
        frozenset(name for _, _, name in names if not is_known(name, known, language)),
    )


def _support(
    claim: _Claim, passages: Sequence[RetrievedPassage], similarity: Similarity | None
) -> list[_Window]:
    windows = sorted(
        (window for passage in passages if (window := _best_window(claim, passage))),
        key=lambda window: -window.score,
    )
    if not windows:
        return []
    best = windows[0]
    if best.score >= SUPPORT_THRESHOLD and claim.is_held_by(best):
        return [best]
    if similarity is not None:
        alike = _alike(claim, windows, similarity)
        if alike is not None:
            return [alike]
    for other in windows[1:]:
        together = len(best.found | other.found) / best.wanted
        added = len(other.found - best.found) / best.wanted
        if together >= SUPPORT_THRESHOLD and added >= 0.2 and claim.is_held_by(best, other):
            return [best, other]
    return []


def _alike(claim: _Claim, windows: Sequence[_Window], similarity: Similarity) -> _Window | None:
    """The most similar window that also shares enough words and every number, name and date."""
    candidates = [
        window
        for window in windows
        if window.score >= SIMILAR_THRESHOLD and claim.is_held_by(window)
    ]
    if not candidates:
        return None
    scores = similarity(claim.sentence.text, [window.text for window in candidates])
    score, window = max(zip(scores, candidates, strict=True), key=lambda pair: pair[0])
    return window if score >= SIMILARITY_FLOOR else None


def _best_window(claim: _Claim, passage: RetrievedPassage) -> _Window | None:
    """The shortest run of the passage's sentences that holds most of the wanted words.

    Only then is it asked whether one denies what the other affirms: a window that says less must
    not stand in for the one that contradicts.
    """
    language = written_in(passage.text, claim.language)
    sentence = claim.sentence.text
    wanted = telling_words(sentence, language)
    parts, words = _read(passage.text, language)
    in_heading = wanted & telling_words(_titles(passage), language)
    held = [wanted & each for each in words]
    if not any(held):
        return None
    best: _Window | None = None
    for length in range(1, MAX_WINDOW_SENTENCES + 1):
        for first in range(len(parts) - length + 1):
            if not any(held[first : first + length]):
                continue
            found = in_heading.union(*held[first : first + length])
            if best is None or len(found) > len(best.found):
                start, end = parts[first].start, parts[first + length - 1].end
                share = len(found) / len(wanted)
                best = _Window(passage, start, end, found, len(wanted), language, share)
    if best is None or is_negated(sentence, claim.language) == is_negated(best.text, language):
        return best
    return replace(best, score=best.score * CONTRADICTION_FACTOR)


@lru_cache(maxsize=1_024)
def _stems_of(text: str, language: str) -> frozenset[str]:
    return stems(text, language)


def _titles(passage: RetrievedPassage) -> str:
    """What the passage stands under; an answer may name it."""
    return " ".join([passage.document_name, *passage.heading_path])


@lru_cache(maxsize=1_024)
def _read(text: str, language: str) -> tuple[list[Sentence], list[frozenset[str]]]:
    """Sentences of a passage with their telling words; passages come back turn after turn."""
    parts = split_sentences(text)
    columns = columns_of_lines(text)
    # A row says what stands in the line of its columns' names, however far above that is.
    names = [columns.get(part.start, "") for part in parts]
    return parts, [
        telling_words(f"{part.text} {name}", language)
        for part, name in zip(parts, names, strict=True)
    ]


def _citation(sentence: Sentence, window: _Window) -> Citation:
    passage = window.passage
    place = passage.place_at(window.start)
    return Citation(
        document_id=passage.document_id,
        document_name=passage.document_name,
        chunk_id=passage.chunk_id,
        start_char=passage.start_char,
        end_char=passage.end_char,
        quote=window.text,
        turn_start_char=sentence.start,
        turn_end_char=sentence.end,
        score=math.floor(window.score * 1_000) / 1_000,
        page=place.page,
        heading_path=place.heading_path,
    )


def result_passage(call: ToolCall) -> RetrievedPassage:
    """What a tool returned, as something that sentences can be compared with."""
    text = call.result or ""
    return RetrievedPassage(
        document_id=f"tool:{call.tool_name}",
        document_name=call.tool_name,
        chunk_id=f"tool:{call.tool_call_id}",
        text=text,
        start_char=0,
        end_char=len(text),
        heading_path=(),
        page=None,
        score=1.0,
        rank=1,
    )
