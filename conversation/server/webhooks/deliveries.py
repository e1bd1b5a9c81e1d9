"""The queue of what webhooks are to be told, in the conversation store.

A row names a webhook, a conversation and an event. It is made of the conversation's own row when
that has ended, so that nothing is lost when a server is killed in between; what is sent is made at
the moment of sending, so that nothing said is stored a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations
from conversation.store.tables import webhook_deliveries as deliveries

DeliveryState = Literal["waiting", "delivered", "dead"]
WebhookEvent = Literal["post_call_transcription", "post_call_audio"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event of one conversation for one webhook."""

    webhook_id: str
    conversation_id: str
    event: str
    state: DeliveryState
    attempts: int
    """That failed or succeeded."""
    created_at: datetime
    next_attempt_at: datetime
    finished_at: datetime | None
    error: str | None
    """Of the last attempt that failed."""
    status_code: int | None
    """That the receiver answered last."""


@dataclass(frozen=True, slots=True)
class AttemptOutcome:
    """What came of an attempt."""

    state: DeliveryState
    next_attempt_at: datetime | None = None
    error: str | None = None
    status_code: int | None = None


class WebhookDeliveries:
    """The queue. Any number of servers may work on it."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine of an opened `ConversationStore`."""
        self._engine = engine

    def unqueued(self, webhook_id: str, *, event: WebhookEvent, since: datetime) -> list[str]:
        """Conversations that were closed since then and are not in the queue yet, oldest first.

        Neither imported ones nor those with a simulated user: nobody waits to be told of them.
        """
        known = (
            select(deliveries.c.conversation_id)
            .where(deliveries.c.webhook_id == webhook_id)
            .where(deliveries.c.event == event)
        )
        query = (
            select(conversations.c.conversation_id)
            .where(conversations.c.closed_at >= since)
            .where(conversations.c.source == "session")
            .where(conversations.c.simulated.is_(False))
            .where(conversations.c.conversation_id.not_in(known))
            .order_by(conversations.c.closed_at)
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return list(connection.execute(query).scalars())

    def add(
        self, webhook_id: str, conversation_id: str, *, event: WebhookEvent, now: datetime
    ) -> bool:
        """Queue a conversation; False when it is queued already, or was deleted meanwhile."""
        row = {
            "webhook_id": webhook_id,
            "conversation_id": conversation_id,
            "event": event,
            "state": "waiting",
            "attempts": 0,
            "created_at": now,
            "next_attempt_at": now,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(deliveries).values(row))
        except IntegrityError:
            return False
        return True

    def take(
        self, webhook_ids: Sequence[str], *, now: datetime, lease: timedelta
    ) -> Delivery | None:
        """The delivery that is due longest; no other server gets it before `lease` has passed."""
        due = (
            select(deliveries)
            .where(deliveries.c.state == "waiting")
            .where(deliveries.c.next_attempt_at <= now)
            .where(deliveries.c.webhook_id.in_(webhook_ids))
            .order_by(deliveries.c.next_attempt_at)
            .limit(1)
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            if connection.execute(due).first() is None:
                return None
        with self._engine.begin() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).first()
            if row is None:
                return None
            connection.execute(
                update(deliveries).where(_is(row)).values(next_attempt_at=now + lease)
            )
        return _delivery(row)

    def finish(self, taken: Delivery, outcome: AttemptOutcome, *, now: datetime) -> None:
        """Note what came of an attempt."""
        with self._engine.begin() as connection:
            connection.execute(
                update(deliveries)
                .where(_is(taken))
                .values(
                    state=outcome.state,
                    attempts=taken.attempts + 1,
                    next_attempt_at=outcome.next_attempt_at or now,
                    finished_at=None if outcome.state == "waiting" else now,
                    error=outcome.error,
                    status_code=outcome.status_code,
                )
            )

    def listed(
        self, *, webhook_id: str | None = None, state: DeliveryState | None = None
    ) -> list[Delivery]:
        """Deliveries, oldest first, narrowed by what is given."""
        query = select(deliveries).order_by(deliveries.c.created_at, deliveries.c.conversation_id)
        if webhook_id is not None:
            query = query.where(deliveries.c.webhook_id == webhook_id)
        if state is not None:
            query = query.where(deliveries.c.state == state)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def revive(self, webhook_id: str, *, now: datetime) -> int:
        """Try again, from the beginning, what was given up. Returns how many there are."""
        with self._engine.begin() as connection:
            done = connection.execute(
                update(deliveries)
                .where(deliveries.c.webhook_id == webhook_id)
                .where(deliveries.c.state == "dead")
                .values(state="waiting", attempts=0, next_attempt_at=now, finished_at=None)
            )
        return done.rowcount

    def drop(self, webhook_id: str) -> None:
        """Forget everything about a webhook that was deleted."""
        with self._engine.begin() as connection:
            connection.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))


def _is(row: Row[Any] | Delivery) -> Any:
    return (
        (deliveries.c.webhook_id == row.webhook_id)
        & (deliveries.c.conversation_id == row.conversation_id)
        & (deliveries.c.event == row.event)
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__dataclass_fields__})
