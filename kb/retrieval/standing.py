"""Where in a chunk the words of a turn stand: the place of what was found, not of the chunk."""

from collections.abc import Iterator
from itertools import islice

from kb.document import Place
from kb.formats.language import guess_language
from kb.index.catalog import ChunkRow
from kb.retrieval.relevance import WordQuery
from kb.words.languages import DEFAULT, function_words
from kb.words.sentences import split_sentences
from kb.words.spelling import Run, respelled, runs, syllables

_IDLE_SHARE = 0.1
"""What a function word counts: where there are few chunks, it is as rare as any other."""


def place_of_best_sentence(row: ChunkRow, words: WordQuery) -> Place:
    """Page and headings of the sentence that says most of the turn; of the first one among equals.

    A chunk that stands at one place, and one that shares no word with the turn, is where it begins.
    """
    place = row.places[0] if row.places else Place(row.start_char, row.page, row.heading_path)
    if len({(each.page, each.heading_path) for each in row.places}) < 2:
        return place
    idle = function_words(guess_language(row.text) or DEFAULT)
    terms = iter(row.terms.body.split())
    best = 0.0
    for start, sentence in _sentences(row):
        held = set(islice(terms, sum(map(_terms_of, runs(respelled(sentence))))))
        worth = sum(
            weight * (_IDLE_SHARE if stem in idle else 1.0)
            for stem, weight in words.worth.items()
            if stem in held or not held.isdisjoint(words.forms.get(stem, ()))
        )
        if worth > best:
            best, place = worth, _place_at(row, start)
    return place


def _sentences(row: ChunkRow) -> Iterator[tuple[int, str]]:
    """Offset in the document and text of each sentence; none goes over the border of two places."""
    base = row.start_char
    borders = {place.start_char - base for place in row.places}
    borders |= {sentence.end for sentence in split_sentences(row.text)}
    ordered = sorted(border for border in borders | {0} if 0 <= border < len(row.text))
    for start, end in zip(ordered, [*ordered[1:], len(row.text)], strict=True):
        yield base + start, row.text[start:end]


def _terms_of(run: Run) -> int:
    """How many of the stored terms of a chunk stand for one run of it."""
    return 1 if run.kind == "word" else max(1, len(syllables(run.text)) - 1)


def _place_at(row: ChunkRow, position: int) -> Place:
    before = (place for place in reversed(row.places) if place.start_char <= position)
    return next(before, Place(row.start_char, row.page, row.heading_path))
