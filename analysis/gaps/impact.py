"""What a change of the documents does to turns of the past: their passages before and after."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from analysis.evaluators.unanswered import WEAK_SCORE
from analysis.gaps.checking import GapSource
from conversation.language.telling_words import telling_words, written_in
from conversation.store.store import ConversationStore
from conversation.transcript import Citation, Retrieval, Transcript, Turn
from kb.document import RetrievedPassage
from kb.retrieval.small_talk import should_search
from kb.words.languages import DEFAULT

_SAME_WORDS = 0.8
"""Share of words in common from which on two passages of a document are one, moved or mended."""

Effect = Literal["loses_citation", "loses_answer", "gains_answer", "other_passages", "other_order"]
EFFECTS: tuple[Effect, ...] = (
    "loses_citation",
    "loses_answer",
    "gains_answer",
    "other_passages",
    "other_order",
)
"""The gravest first."""


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """A turn of a user whose search can be done again."""

    conversation_id: str
    turn_index: int
    """Of the user's turn."""
    query: str
    """What was searched for."""
    history: tuple[Turn, ...]
    citations: tuple[Citation, ...]
    """Of the agent's answer."""


@dataclass(frozen=True, slots=True)
class PassageChange:
    """A passage that a turn gains, loses, or finds in another place."""

    passage: RetrievedPassage
    rank_before: int | None
    rank_after: int | None
    cited: bool
    """Whether the answer that was given cites it."""


@dataclass(frozen=True, slots=True)
class TurnImpact:
    """What a change does to one turn."""

    question: PastQuestion
    changes: tuple[PassageChange, ...]
    score_before: float
    """Of the best passage; 0.0 when nothing is found."""
    score_after: float
    effect: Effect


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does to the turns of the past."""

    turns: int
    """Turns that were searched for again."""
    conversations: int
    changed: tuple[TurnImpact, ...]
    """The gravest first; turns that find the same in the same order are left out."""

    def count(self, effect: Effect) -> int:
        """How many turns it has this effect on."""
        return sum(turn.effect == effect for turn in self.changed)


def past_questions(
    conversations: ConversationStore,
    agent_id: str,
    *,
    since: datetime | None = None,
    read: Callable[[str], Transcript] | None = None,
) -> Iterator[PastQuestion]:
    """Yield the agent's past turns that searched its documents, or would today; newest first.

    Args:
        conversations: Where they are.
        agent_id: Whose conversations.
        since: Only conversations that ended at this time or later.
        read: How a conversation is read; None reads the words that were said.
    """
    reader = read or conversations.transcript
    ended = conversations.conversations(agent_id=agent_id, ended_from=since, simulated=False)
    for summary in reversed(ended):
        if summary.status != "in_progress":
            retrieved = conversations.retrievals(summary.conversation_id)
            yield from questions_of(reader(summary.conversation_id), retrieved)


def questions_of(transcript: Transcript, retrieved: Iterable[Retrieval]) -> Iterator[PastQuestion]:
    """Yield the turns of one conversation that can be searched for again, in order."""
    queries = {retrieval.turn_id: retrieval.query for retrieval in retrieved}
    for index, turn in enumerate(transcript.turns):
        history = transcript.turns[:index]
        if turn.role != "user" or not should_search(turn.text, history):
            continue
        answers = _answers(transcript, index)
        query = next((queries[a.turn_id] for a in answers if a.turn_id in queries), turn.text)
        cited = tuple(citation for answer in answers for citation in answer.citations)
        yield PastQuestion(transcript.conversation_id, index, query, history, cited)


def _answers(transcript: Transcript, index: int) -> list[Turn]:
    answers: list[Turn] = []
    for turn in transcript.turns[index + 1 :]:
        if turn.role == "user":
            break
        answers.append(turn)
    return answers


def impact_of(
    questions: Iterable[PastQuestion],
    before: GapSource,
    after: GapSource,
    *,
    limit: int,
    min_score: float = 0.0,
    on_asked: Callable[[int], object] = lambda _done: None,
) -> Impact:
    """Search for each question in both, and say where the passages differ.

    Args:
        questions: From `past_questions`.
        before: The documents as they are.
        after: The documents as they would be.
        limit: Passages a turn.
        min_score: Passages scored lower are not shown to the agent, and left out.
        on_asked: Told how many questions are done.
    """
    changed: list[TurnImpact] = []
    seen: set[str] = set()
    done = 0
    for done, question in enumerate(questions, start=1):
        found = [
            [
                p
                for p in source.retrieve(question.query, history=question.history, limit=limit)
                if p.score >= min_score
            ]
            for source in (before, after)
        ]
        seen.add(question.conversation_id)
        if turn := turn_impact(question, *found):
            changed.append(turn)
        on_asked(done)
    changed.sort(key=lambda turn: EFFECTS.index(turn.effect))
    return Impact(done, len(seen), tuple(changed))


def turn_impact(
    question: PastQuestion,
    before: Sequence[RetrievedPassage],
    after: Sequence[RetrievedPassage],
) -> TurnImpact | None:
    """Compare the passages of one turn; None when they are the same in the same order."""
    changes: list[PassageChange] = []
    left = list(after)
    for passage in before:
        same = next((other for other in left if is_same(passage, other)), None)
        if same is not None:
            left.remove(same)
        if same is None or same.rank != passage.rank:
            rank = same.rank if same else None
            changes.append(
                PassageChange(same or passage, passage.rank, rank, _cited(question, passage))
            )
    changes += [PassageChange(passage, None, passage.rank, cited=False) for passage in left]
    if not changes:
        return None
    was, now = (max((p.score for p in found), default=0.0) for found in (before, after))
    effect = _effect(changes, was, now)
    order = sorted(changes, key=lambda change: (change.rank_after is not None, _rank(change)))
    return TurnImpact(question, tuple(order), was, now, effect)


def _effect(changes: Sequence[PassageChange], before: float, after: float) -> Effect:
    if any(change.cited and change.rank_after is None for change in changes):
        return "loses_citation"
    if after < WEAK_SCORE <= before:
        return "loses_answer"
    if before < WEAK_SCORE <= after:
        return "gains_answer"
    if any(change.rank_before is None or change.rank_after is None for change in changes):
        return "other_passages"
    return "other_order"


def _rank(change: PassageChange) -> int:
    return change.rank_after or change.rank_before or 0


def is_same(first: RetrievedPassage, second: RetrievedPassage) -> bool:
    """Whether two passages are the same text of a document, though it may have moved."""
    if first.chunk_id == second.chunk_id:
        return True
    if first.document_id != second.document_id:
        return False
    language = written_in(first.text, DEFAULT)
    one, other = telling_words(first.text, language), telling_words(second.text, language)
    return bool(one | other) and len(one & other) >= _SAME_WORDS * len(one | other)


def _cited(question: PastQuestion, passage: RetrievedPassage) -> bool:
    return any(
        citation.chunk_id == passage.chunk_id
        or (citation.document_id == passage.document_id and citation.quote in passage.text)
        for citation in question.citations
    )
