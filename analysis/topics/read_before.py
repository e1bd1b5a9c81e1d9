"""Which conversations a run of topics or gaps read already: the next one reads what changed since.

That a conversation was read is a pair in `settled_conversations`, which whoever touches the
conversation or an answer about it takes away. `finding_runs` says what the last run was asked for.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa

from analysis.store.rows import insert_or_ignore
from analysis.store.settled import is_beside, settle
from analysis.store.store import AnalysisStore
from analysis.store.tables import finding_runs, settled_conversations
from analysis.store.touched import last_mark, marks_of, take_touched
from conversation.store.database import READ_ONLY
from conversation.store.store import ConversationStore
from conversation.store.tables import conversations as held
from kb.embedding.embedder import Embedder

Finding = Literal["topics", "gaps"]
_PAIRS = settled_conversations.c
_TRIES = 3


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """What earlier runs left for this one."""

    engine: sa.Engine
    agent_id: str
    finding: Finding
    asked: str
    """Hash of how conversations are read: when it moves, all are read again."""
    settings: str
    """Hash of what else the result follows from."""
    mark: int
    ended: int
    read: int
    """Conversations that were read as they are now."""
    known: bool
    """Whether an earlier run read in this way, with this model."""
    earlier: str | None
    """Hash of what the last result followed from."""
    others: str | None
    """Another `asked` of the last run, whose pairs serve nobody any more."""

    @property
    def nothing_new(self) -> bool:
        """Whether a run would find what the last one left."""
        return (
            self.known and self.ended == self.read and self.earlier == self._result_of(self.ended)
        )

    def ids(self) -> set[str]:
        """Conversations whose texts need not be read again."""
        if not self.known:
            return set()
        query = sa.select(_PAIRS.settled).where(
            _PAIRS.agent_id == self.agent_id, _PAIRS.asked == self.asked
        )
        with self.engine.connect().execution_options(**READ_ONLY) as connection:
            return set(connection.execute(query).scalars())

    def note(
        self,
        read: Mapping[str, date],
        *,
        ended: int,
        model_id: str,
        now: datetime,
        is_whole: bool = True,
    ) -> None:
        """Note what this run read, after its result was kept.

        Args:
            read: The conversations that it read, each with the day (UTC) on which it ended.
            ended: How many it found over.
            model_id: Of its vectors; empty when there are none.
            now: The time that is noted.
            is_whole: Whether nothing is left to try again: then the next run may take the result
                as it is.
        """
        self._settle(dict(read))
        row = {
            "agent_id": self.agent_id,
            "finding": self.finding,
            "asked": self.asked,
            "result": self._result_of(ended) if is_whole else "",
            "model_id": model_id,
            "ran_at": now,
        }
        this = (
            finding_runs.c.agent_id == self.agent_id,
            finding_runs.c.finding == self.finding,
        )
        with self.engine.begin() as connection:
            if self.others is not None:
                connection.execute(
                    sa.delete(settled_conversations).where(
                        _PAIRS.agent_id == self.agent_id, _PAIRS.asked == self.others
                    )
                )
            connection.execute(sa.delete(finding_runs).where(*this))
            # Two runs at once find the same; whose note stays is of no account.
            connection.execute(insert_or_ignore(connection, finding_runs), row)

    def _settle(self, read: dict[str, date]) -> None:
        """Note them, but those of days that were touched meanwhile: they are read once more."""
        seen = self.mark
        for _ in range(_TRIES):
            pairs = dict.fromkeys(read, self.agent_id)
            if settle(self.engine, pairs, {self.agent_id: self.asked}, seen=seen):
                return
            seen, before = last_mark(self.engine), seen
            moved = {day for day, mark in marks_of(self.engine).items() if mark.mark > before}
            read = {key: day for key, day in read.items() if day not in moved}

    def _result_of(self, ended: int) -> str:
        return hashed(self.settings, ended)


def look_again(
    conversations: ConversationStore,
    store: AnalysisStore,
    agent_id: str,
    finding: Finding,
    embedder: Embedder,
    *,
    reads: Sequence[object],
    settings: Sequence[object],
) -> ReadBefore | None:
    """Return what was read before, or None where two databases hold conversations and findings.

    Args:
        conversations: Where conversations are.
        store: Where findings are.
        agent_id: Whose.
        finding: Of which run.
        embedder: Asked for its model only where something was embedded before.
        reads: What texts are read by: another value, and all are read again.
        settings: What else the result follows from: another value, and it is found again.
    """
    engine = store.engine
    if not is_beside(conversations.engine, engine):
        return None
    take_touched(engine)
    mark = last_mark(engine)
    asked = hashed(finding, agent_id, conversations.seen_as(agent_id), *reads)
    over = sa.select(sa.func.count()).where(
        held.c.agent_id == agent_id, held.c.simulated.is_(False), held.c.status != "in_progress"
    )
    read = sa.select(sa.func.count()).where(_PAIRS.agent_id == agent_id, _PAIRS.asked == asked)
    last = sa.select(finding_runs).where(
        finding_runs.c.agent_id == agent_id, finding_runs.c.finding == finding
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        row = connection.execute(last).first()
        ended = connection.execute(over).scalar_one()
        count = connection.execute(read).scalar_one()
    known = (
        row is not None
        and row.asked == asked
        and (not row.model_id or row.model_id == embedder.model_id)
    )
    return ReadBefore(
        engine=engine,
        agent_id=agent_id,
        finding=finding,
        asked=asked,
        settings=hashed(*settings),
        mark=mark,
        ended=ended,
        read=count,
        known=known,
        earlier=row.result if row is not None else None,
        others=row.asked if row is not None and row.asked != asked else None,
    )


def hashed(*parts: object) -> str:
    """Return one hash of some settings, in order."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
