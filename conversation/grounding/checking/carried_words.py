"""Whether the words of a sentence stand together in the documents, or were put together. Pure.

Numbers and names tell most of what is made up; a list of colours, or the tale of how a company was
founded, has neither. Small models answer in the words of a passage, so that what they make up
shows: in 26 answers of a 1.5B about the sample documents, the words of right ones stood together by
.8 and more, those of made-up ones by .31 and less.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from conversation.language.telling_words import telling_words
from kb.words.languages import function_words, primary, recognised, stem
from kb.words.sentences import split_sentences
from kb.words.spelling import folded, respelled, runs

FEWEST = 4
"""Words that a sentence adds to the question before anything is told by them."""
SUPPORT_THRESHOLD = 0.65
"""Share of a sentence's telling words that one window of a passage must hold."""
SHARE = SUPPORT_THRESHOLD
"""Of these, so many stand in a few sentences of one passage, as in a sentence that is cited."""
_LONGEST_WINDOW = 3
_SAMPLE_CHARS = 4_000


class CarriedWords:
    """Which words stand together in passages."""

    def __init__(
        self, passages: Iterable[tuple[str, str]], *, asked: str, own_words: str, language: str
    ) -> None:
        """Read them once.

        Args:
            passages: Titles and text of each.
            asked: The question: to repeat it states nothing.
            own_words: What the agent was told; it may say that.
            language: That the agent speaks. Nothing is told by words where the documents are in
                another one, or in a script without spaces.
        """
        texts = [*passages, ("", own_words)]
        spoken = primary(language) or language
        sample = " ".join(text for _, text in texts[:-1])[:_SAMPLE_CHARS]
        written = recognised(respelled(sample), likely=spoken)
        self._language = spoken if written == spoken else None
        self._windows: dict[str, set[int]] = defaultdict(set)
        self._asked: frozenset[str] = frozenset()
        if self._language is not None:
            self._asked = _stems(asked, self._language)
            self._read(texts, self._language)

    def _read(self, texts: Iterable[tuple[str, str]], language: str) -> None:
        number = 0
        for titles, text in texts:
            above = _stems(titles, language)
            sentences = [_stems(sentence.text, language) for sentence in split_sentences(text)]
            for first in range(len(sentences)):
                number += 1
                window = sentences[first : first + _LONGEST_WINDOW]
                for word in above.union(*window):
                    self._windows[word].add(number)

    def are_carried(self, sentence: str) -> bool:
        """Whether enough of a sentence's words stand together somewhere, or it has too few."""
        return self.first_loose(sentence) is None or self._share(sentence) >= SHARE

    def first_loose(self, sentence: str) -> int | None:
        """Where the first word begins with which too few stand together; None when none does."""
        if self._language is None:
            return None
        found: Counter[int] = Counter()
        added: set[str] = set()
        for start, word in _telling(sentence, self._language):
            if word in self._asked or word in added or word.isdecimal():
                continue
            added.add(word)
            found.update(self._windows.get(word, ()))
            most = max(found.values(), default=0)
            if len(added) >= FEWEST and most < SHARE * len(added):
                return start
        return None

    def _share(self, sentence: str) -> float:
        language = self._language or ""
        told = {word for _, word in _telling(sentence, language) if not word.isdecimal()}
        added = told - self._asked
        found = Counter(number for word in added for number in self._windows.get(word, ()))
        return max(found.values(), default=0) / max(len(added), 1)


@lru_cache(maxsize=4_096)
def _stems(text: str, language: str) -> frozenset[str]:
    return frozenset(word for _, word in _telling(text, language))


def _telling(text: str, language: str) -> list[tuple[int, str]]:
    """Stems of words that are no function words, with their places; none of spaceless scripts."""
    idle = function_words(language)
    return [
        (run.start, stem(run.text, language))
        for run in runs(respelled(text))
        if run.kind == "word" and len(run.text) > 1 and folded(run.text) not in idle
        if telling_words(run.text)
    ]
