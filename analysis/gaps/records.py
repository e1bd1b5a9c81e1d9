"""What is known of a gap: its questions, its state, what is near and what is missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analysis.gaps.store import (
    GapState,
    KeptGap,
    KeptPassage,
    KeptQuestion,
    read_gaps,
    read_questions,
)
from analysis.store.store import AnalysisStore
from analysis.topics.clustering import most_central


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap with everything that is known of it."""

    gap_id: str
    agent_id: str
    title: str
    state: GapState
    state_since: datetime
    questions: tuple[KeptQuestion, ...]
    """The most typical first."""
    nearest: tuple[KeptPassage, ...]
    missing_words: tuple[str, ...]
    passage: KeptPassage | None
    """The passage that fixes it."""
    checked_index_version: int | None

    @property
    def conversations(self) -> int:
        """In how many conversations it was asked."""
        return len({question.conversation_id for question in self.questions})

    @property
    def first_asked_at(self) -> datetime:
        """When it was asked first (UTC)."""
        return min(question.asked_at for question in self.questions)

    @property
    def last_asked_at(self) -> datetime:
        """When it was asked last (UTC)."""
        return max(question.asked_at for question in self.questions)

    @property
    def answered(self) -> int:
        """Questions that the documents answer by now."""
        return sum(question.answered is True for question in self.questions)

    @property
    def reasons(self) -> dict[str, int]:
        """How many questions count as unanswered for each reason, the most frequent first."""
        return dict(Counter(r for q in self.questions for r in q.reasons).most_common())

    @property
    def per_day(self) -> dict[date, int]:
        """Questions by UTC day, days with none left out."""
        days = Counter(question.asked_at.date() for question in self.questions)
        return dict(sorted(days.items()))


@dataclass(frozen=True, slots=True)
class GapRun:
    """What one run found."""

    agent_id: str
    gaps: tuple[Gap, ...]
    """Open and regressed ones first, each by how often it was asked."""
    new_questions: int
    checked: int
    """Questions that were asked again."""


def stored_gaps(agent_id: str, store: AnalysisStore) -> list[Gap]:
    """Return the agent's gaps as the last run left them, the most urgent first."""
    grouped: dict[str, list[KeptQuestion]] = {}
    for question in read_questions(store.engine, agent_id):
        grouped.setdefault(question.gap_id or "", []).append(question)
    gaps = [
        _with_questions(agent_id, gap, grouped[gap.gap_id])
        for gap in read_gaps(store.engine, agent_id)
        if gap.gap_id in grouped
    ]
    return sorted(gaps, key=urgency)


def urgency(gap: Gap) -> tuple[bool, int, float]:
    """Return what gaps are sorted by: unfixed ones first, each by how often it was asked."""
    return (gap.state == "fixed", -len(gap.questions), -gap.last_asked_at.timestamp())


def typical_first(questions: Sequence[KeptQuestion]) -> list[KeptQuestion]:
    """Return questions by how near they are to the middle of them all."""
    import numpy as np

    vectors = np.stack([question.vector for question in questions])
    middle = vectors[most_central(vectors)]
    likeness = {q.key: float(q.vector @ middle) for q in questions}
    return sorted(questions, key=lambda q: (-likeness[q.key], q.asked_at, q.key))


def _with_questions(agent_id: str, gap: KeptGap, questions: Sequence[KeptQuestion]) -> Gap:
    return Gap(
        gap_id=gap.gap_id,
        agent_id=agent_id,
        title=gap.title,
        state=gap.state,
        state_since=gap.state_since,
        questions=tuple(typical_first(questions)),
        nearest=gap.nearest,
        missing_words=gap.missing_words,
        passage=gap.passage,
        checked_index_version=gap.checked_index_version,
    )
