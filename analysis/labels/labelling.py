"""A person goes through conversations and says of each whether it meets a criterion.

Every answer is stored at once, so that stopping in the middle loses nothing. What the judge said
is shown after the answer, never before: it would be repeated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from analysis.results import Evaluation, Label, Verdict
from analysis.store import tables
from analysis.store.store import AnalysisStore


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of a person, and what the judge in force says."""

    conversation_id: str
    verdict: Verdict
    judged: Evaluation | None
    """None when the judge has no verdict (any more)."""

    @property
    def agrees(self) -> bool | None:
        """Whether judge and person say the same; None without a verdict of the judge."""
        if self.judged is None or self.judged.verdict is None:
            return None
        return self.judged.verdict == self.verdict


class LabellingSession:
    """Walks through conversations in the order that is given.

    `current` is the conversation to ask about; `answer`, `skip` and `undo` move on and back.
    """

    def __init__(
        self,
        store: AnalysisStore,
        criterion_id: str,
        *,
        annotator: str,
        conversation_ids: Sequence[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start with the first conversation.

        Args:
            store: Where labels are kept.
            criterion_id: What is asked.
            annotator: Who answers.
            conversation_ids: From `conversations_to_label`, the most telling first.
            now: The clock.
        """
        self._store = store
        self._criterion_id = criterion_id
        self._annotator = annotator
        self._ids = list(conversation_ids)
        self._at = 0
        self._answered: dict[str, Answered] = {}
        self._now = now

    @property
    def current(self) -> str | None:
        """The conversation to ask about; None at the end."""
        return self._ids[self._at] if self._at < len(self._ids) else None

    @property
    def position(self) -> int:
        """Of `current`, from 1."""
        return self._at + 1

    @property
    def total(self) -> int:
        """How many conversations there are to go through."""
        return len(self._ids)

    @property
    def answered(self) -> tuple[Answered, ...]:
        """What was answered in this session and not taken back."""
        return tuple(self._answered.values())

    def answer(self, verdict: Verdict, note: str | None = None) -> Answered:
        """Keep what the person says of `current` and go on to the next.

        Raises:
            IndexError: There is no current conversation.
        """
        conversation_id = self._ids[self._at]
        label = Label(
            conversation_id=conversation_id,
            criterion_id=self._criterion_id,
            verdict=verdict,
            annotator=self._annotator,
            note=note or None,
        )
        self._store.add_labels([label], now=self._now())
        judged = self._store.latest_evaluations(conversation_id).get(self._criterion_id)
        answered = Answered(conversation_id, verdict, judged)
        self._answered[conversation_id] = answered
        self._at += 1
        return answered

    def skip(self) -> None:
        """Go on without an answer; the conversation is offered again another time."""
        self._at = min(self._at + 1, len(self._ids))

    def undo(self) -> str | None:
        """Go back to the conversation before, and take back what was said of it.

        Returns:
            Its id; None at the first one.
        """
        if self._at == 0:
            return None
        self._at -= 1
        conversation_id = self._ids[self._at]
        if self._answered.pop(conversation_id, None) is not None:
            remove_label(self._store, conversation_id, self._criterion_id, self._annotator)
        return conversation_id


def remove_label(
    store: AnalysisStore, conversation_id: str, criterion_id: str, annotator: str
) -> bool:
    """Delete what one person said of one conversation; False when there was nothing."""
    table = tables.labels
    statement = sa.delete(table).where(
        table.c.conversation_id == conversation_id,
        table.c.criterion_id == criterion_id,
        table.c.annotator == annotator,
    )
    with store.engine.begin() as connection:
        return connection.execute(statement).rowcount > 0


def all_labels(
    store: AnalysisStore, *, criterion_id: str | None = None, annotator: str | None = None
) -> list[dict[str, Any]]:
    """Return labels in the order that they were given, narrowed by what is given."""
    table = tables.labels
    statement = sa.select(table).order_by(table.c.label_id)
    if criterion_id is not None:
        statement = statement.where(table.c.criterion_id == criterion_id)
    if annotator is not None:
        statement = statement.where(table.c.annotator == annotator)
    with store.engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]
