"""Ask the documents again what they did not answer: which passage answers it now, if any."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.gaps.store import KeptPassage, KeptQuestion
from analysis.topics.naming import common_words
from analysis.topics.terms import has_signs, idle_words, missing_signs
from conversation.errors import UnknownConversationError
from conversation.transcript import Transcript, Turn
from kb.document import RetrievedPassage
from kb.words.languages import DEFAULT
from kb.words.spelling import MARKS, folded

ANSWERED_SCORE = 0.4
"""A passage answers a question when it is at least this good, better than what was found when it
was asked, and was not found then. Of 97 queries whose page was missing, after half of these pages
came in, 69 % of theirs were called fixed, and 14 % of those whose page was still missing."""
FIXED_SHARE = 2 / 3
"""A gap is fixed when this share of its questions has an answer."""
_PASSAGES = 5
_WORD = re.compile(rf"[^\W\d_](?:[\w'-]|[{MARKS}])+")


class GapSource(Protocol):
    """What is needed of a knowledge base; `kb.knowledge_base.KnowledgeBase` is one."""

    @property
    def index_version(self) -> int:
        """Number of publishes so far."""
        ...

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        """Passages for a user's turn, best first. `history` does not contain the turn."""
        ...


@dataclass(frozen=True, slots=True)
class GapCheck:
    """What one question finds now."""

    passages: tuple[KeptPassage, ...]
    """Best first."""
    fixing: KeptPassage | None
    """The passage that answers it and was not found when it was asked."""
    missing_words: tuple[str, ...]
    """Its words that no passage says."""

    @property
    def answered(self) -> bool:
        """Whether the documents answer it now."""
        return self.fixing is not None

    @property
    def score(self) -> float | None:
        """Of the best passage."""
        return max((passage.score for passage in self.passages), default=None)


def ask_again(
    questions: Sequence[KeptQuestion], source: GapSource, read: Callable[[str], Transcript]
) -> dict[str, GapCheck]:
    """Ask each question as it was asked, after the same turns; by `KeptQuestion.key`.

    Questions of conversations that are deleted by now are left out.
    """
    asked: dict[str, GapCheck] = {}
    transcripts: dict[str, Transcript | None] = {}
    for question in questions:
        if question.conversation_id not in transcripts:
            try:
                transcripts[question.conversation_id] = read(question.conversation_id)
            except UnknownConversationError:
                transcripts[question.conversation_id] = None
        transcript = transcripts[question.conversation_id]
        if transcript is not None:
            history = transcript.turns[: question.turn_index]
            passages = source.retrieve(question.question, history=history, limit=_PASSAGES)
            asked[question.key] = check_question(
                question, [as_kept(passage) for passage in passages]
            )
    return asked


def as_kept(passage: RetrievedPassage) -> KeptPassage:
    """Return a passage as it is noted."""
    return KeptPassage(
        document_id=passage.document_id,
        document_name=passage.document_name,
        document_version=passage.document_version,
        chunk_id=passage.chunk_id,
        text=passage.text,
        score=passage.score,
    )


def check_question(question: KeptQuestion, passages: Sequence[KeptPassage]) -> GapCheck:
    """Return what a question finds in passages."""
    fixing = next(
        (
            passage
            for passage in sorted(passages, key=lambda passage: -passage.score)
            if passage.chunk_id not in question.seen_chunk_ids
            and passage.score >= ANSWERED_SCORE
            and passage.score > (question.score or 0.0)
        ),
        None,
    )
    return GapCheck(tuple(passages), fixing, _missing(question.question, passages))


def _missing(question: str, passages: Sequence[KeptPassage]) -> tuple[str, ...]:
    """Words of a question that no passage says, read in the language that it is asked in."""
    from conversation.language.telling_words import telling_words, written_in

    text = "\n".join(passage.text for passage in passages)
    # A short question does not tell; the passages that are nearest to it do.
    language = written_in(question, written_in(f"{question}\n{text}", DEFAULT))
    said = telling_words(text, language)
    idle = common_words() if language == DEFAULT else idle_words(language)
    words = dict.fromkeys(word.casefold() for word in _WORD.findall(question))
    spaced = [
        word
        for word in words
        if folded(word) not in idle
        and not has_signs(word)
        and (stems := telling_words(word, language))
        and stems.isdisjoint(said)
    ]
    return (*spaced, *missing_signs(question, said, language))


def is_fixed(questions: Sequence[KeptQuestion]) -> bool:
    """Whether enough questions of a gap have an answer by now, and the latest of them too.

    A question that was asked in vain after the fix says that it was none.
    """
    if not questions:
        return False
    answered = sum(question.answered is True for question in questions)
    latest = max(questions, key=lambda question: question.asked_at)
    return answered >= FIXED_SHARE * len(questions) and latest.answered is True


def gap_passage(questions: Sequence[KeptQuestion]) -> KeptPassage | None:
    """Return the passage that answers most of the questions, the best of them on a tie."""
    found: dict[str, list[KeptPassage]] = {}
    for question in questions:
        if question.passage is not None:
            found.setdefault(question.passage.chunk_id, []).append(question.passage)
    if not found:
        return None
    most = max(found.values(), key=lambda held: (len(held), max(p.score for p in held)))
    return max(most, key=lambda passage: passage.score)


def nearest_documents(asked: Sequence[GapCheck], *, limit: int = 3) -> tuple[KeptPassage, ...]:
    """Return the best passage of each document that came nearest, best first."""
    best: dict[str, KeptPassage] = {}
    for passage in (passage for found in asked for passage in found.passages):
        held = best.get(passage.document_id)
        if held is None or passage.score > held.score:
            best[passage.document_id] = passage
    return tuple(sorted(best.values(), key=lambda passage: -passage.score)[:limit])


def missing_words(asked: Sequence[GapCheck], *, limit: int = 6) -> tuple[str, ...]:
    """Return the words of the questions that no passage says, the most frequent first."""
    counts = Counter(word for found in asked for word in found.missing_words)
    return tuple(word for word, _ in counts.most_common(limit))
