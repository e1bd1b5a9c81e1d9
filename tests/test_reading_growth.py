"""Everything that reads what a stranger wrote: four times the text takes four times as long."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from analysis.judge.evidence import most_telling_turn, verbatim
from analysis.judge.windows import escape_tags
from analysis.said.language import language_of
from analysis.said.moments.clock import times_said
from analysis.said.moments.days import days_said
from analysis.said.moments.digitised import digitised
from analysis.said.negation import is_denied
from analysis.said.normal_form import folded, loosened, words_that_repeat, words_that_say
from analysis.said.numbers import languages_counted_in, numbers_in
from analysis.said.spelling.spelled import spelled_words
from conversation.importing.captions import lines_of_captions, lines_of_vtt
from conversation.importing.files import import_path
from conversation.importing.lines import lines_of_text
from conversation.importing.roles import RecordError
from conversation.importing.tables import conversations_of_csv
from conversation.importing.times import is_moment
from conversation.language.choosing.best_sentences import quotable_sentences
from conversation.language.telling_words import (
    is_negated,
    numbers_of,
    plain_quotes,
    telling_words,
)
from conversation.language.tokens import chars_within, estimated_tokens
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from kb.retrieval.small_talk import should_search
from kb.words.asking import ask
from kb.words.identifiers import identifiers
from kb.words.indexing import chunk_terms
from kb.words.spelling import numbers_and_names, respelled
from tests.growth import growth

pytestmark = pytest.mark.hostile

_PIECES = [
    " ",
    "\n",
    ".",
    "A. ",
    "1",
    "1 ",
    "1,",
    "-",
    "one ",
    "a@",
    "<a ",
    "(",
    "\u7121",
    "a: b\n",
]

_READERS: dict[str, Callable[[str], object]] = {
    "quotes are looked for": lambda text: verbatim(text, text[len(text) // 2 :] + "x"),
    "the most telling turn": lambda text: most_telling_turn(
        [Turn(role="user", text=text)], [0], "when does it open", min_shared=1
    ),
    "tags are escaped": escape_tags,
    "the language": language_of,
    "times": lambda text: times_said(text, "en"),
    "days": lambda text: days_said(text, date(2026, 3, 1), "en"),
    "digitised": digitised,
    "denied": lambda text: is_denied(text, text[-40:]),
    "folded": folded,
    "loosened": loosened,
    "words that repeat": lambda text: words_that_repeat(text, "open at nine"),
    "words that say": lambda text: words_that_say(text, "Ann Lee"),
    "numbers": numbers_in,
    "languages counted in": languages_counted_in,
    "spelled": lambda text: spelled_words(text, "ANNLEE", "en"),
    "sentences to quote": lambda text: quotable_sentences([("passage", text)]),
    "telling words": telling_words,
    "numbers of an answer": numbers_of,
    "negated": is_negated,
    "plain quotes": plain_quotes,
    "tokens": estimated_tokens,
    "characters within": lambda text: chars_within(text, 500),
    "worth a search": should_search,
    "asked words": lambda text: ask(text, ["en", "de"]),
    "identifiers": identifiers,
    "terms of a chunk": lambda text: chunk_terms("", text, language="en"),
    "respelled": respelled,
    "numbers and names": numbers_and_names,
}


@pytest.mark.parametrize("piece", _PIECES)
@pytest.mark.parametrize("reader", _READERS.values(), ids=_READERS.keys())
def test_reading_takes_as_long_as_the_text_is(reader: Callable[[str], object], piece: str):
    assert growth(reader, piece) < 7


_IMPORTS: dict[str, Callable[[str], object]] = {
    "lines": lambda text: lines_of_text(f"User: {text}\nAgent: {text}"),
    "captions": lambda text: lines_of_captions(f"1\n00:00:01,000 --> 00:00:02,000\n{text}"),
    "WebVTT": lambda text: lines_of_vtt(
        f"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ann>{text}</v>"
    ),
    "a table": lambda text: list(conversations_of_csv(f"speaker,text\nuser,{text}")),
    "the header of a table": lambda text: list(conversations_of_csv(f"{text},speaker,text\na,b,c")),
    "a moment": is_moment,
}


@pytest.mark.parametrize("piece", [*_PIECES, '"', "<v ", "-->\n", "00:00:01.000 --> "])
@pytest.mark.parametrize("reader", _IMPORTS.values(), ids=_IMPORTS.keys())
def test_importing_takes_as_long_as_the_text_is(reader: Callable[[str], object], piece: str):
    def read(text: str) -> None:
        # What is refused has been read all the same.
        with suppress(RecordError):
            reader(text)

    assert growth(read, piece) < 7


@pytest.mark.parametrize("piece", [" ", "A. ", "<a ", "\u7121"])
def test_a_record_goes_in_as_fast_as_it_is_long(tmp_path: Path, piece: str):
    with ConversationStore.open("sqlite://") as store:

        def take_in(text: str) -> None:
            turns = [{"role": "user", "text": f"Where is it? {text}"}]
            record = {"conversation_id": f"c{len(text)}", "turns": turns}
            path = tmp_path / "record.json"
            path.write_text(json.dumps(record), "utf-8")
            import_path(path, store, "support")

        assert growth(take_in, piece) < 7
