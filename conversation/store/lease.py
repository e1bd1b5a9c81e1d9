"""The right to change one knowledge base, as a row of the store: no clock is asked.

Whoever holds it counts a number up. Where that stands still for long enough, by the clock of the
one who waits, its holder is gone; a holder that ran on this machine is known to be gone at once.
"""

import logging
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from conversation.errors import StoreError
from conversation.store.database import READ_ONLY
from conversation.store.ownership import is_gone, this_process
from conversation.store.tables import kb_pointers as rows
from kb.errors import BusyError, LostLeaseError

_log = logging.getLogger(__name__)

GONE_AFTER_S = 60.0
"""A holder that has counted nothing for so long is taken for gone."""
_BEAT_EVERY_S = 10.0
_LOOK_AGAIN_S = 0.2
_NOBODY = {"lease_owner": None, "lease_token": None}


@dataclass(frozen=True, slots=True)
class StoredLease:
    """A lease that is held."""

    engine: Engine
    name: str
    token: str

    def require(self) -> None:
        """Do nothing while the lease is held.

        Raises:
            LostLeaseError: Another writer has taken it over.
        """
        with self.engine.connect().execution_options(**READ_ONLY) as connection:
            query = select(rows.c.lease_token).where(rows.c.name == self.name)
            if connection.execute(query).scalar() != self.token:
                raise lost(self.name)


def lost(name: str) -> LostLeaseError:
    """The error of a writer that was taken for gone."""
    return LostLeaseError(
        f"Another process took over the knowledge base {name!r} while this one was changing it. "
        "Nothing of this change became live; run it again."
    )


@contextmanager
def held_lease(
    engine: Engine, name: str, *, timeout_s: float, gone_after_s: float = GONE_AFTER_S
) -> Generator[StoredLease]:
    """Hold the lease of the knowledge base `name`.

    Raises:
        BusyError: Another writer did not finish in time.
    """
    lease = StoredLease(engine, name, uuid.uuid4().hex)
    _acquire(lease, timeout_s=timeout_s, gone_after_s=gone_after_s)
    stop = threading.Event()
    beating = threading.Thread(target=_beat, args=[lease, stop], name="lease", daemon=True)
    beating.start()
    try:
        yield lease
    finally:
        stop.set()
        beating.join()
        with engine.begin() as connection:
            connection.execute(_mine(lease).values(_NOBODY))


def _acquire(lease: StoredLease, *, timeout_s: float, gone_after_s: float) -> None:
    began_s = seen_s = time.monotonic()
    seen: tuple[str, int] | None = None
    while True:
        holder = _holder(lease)
        if holder is None:
            if _take(lease, None):
                return
            continue
        now_s = time.monotonic()
        if (holder.lease_token, holder.lease_beats) != seen:
            seen, seen_s = (holder.lease_token, holder.lease_beats), now_s
        is_over = is_gone(holder.lease_owner, asked_by=this_process())
        if (is_over or now_s - seen_s >= gone_after_s) and _take(lease, holder.lease_token):
            return
        if now_s - began_s >= timeout_s:
            raise BusyError(
                f"{holder.lease_owner} is changing the knowledge base {lease.name!r} for more "
                f"than {timeout_s:g} s. Wait for it to finish, or raise `index.writer_timeout_s`."
            )
        time.sleep(_LOOK_AGAIN_S)


def _holder(lease: StoredLease) -> Any | None:
    """The row with who holds the lease; None when nobody does."""
    with lease.engine.connect().execution_options(**READ_ONLY) as connection:
        found = connection.execute(select(rows).where(rows.c.name == lease.name)).first()
    if found is None:
        try:
            with lease.engine.begin() as connection:
                row = {"name": lease.name, "generation": 0, "lease_beats": 0}
                connection.execute(insert(rows).values(row))
        except IntegrityError:
            pass  # another process was faster
        return None
    return None if found.lease_token is None else found


def _take(lease: StoredLease, token: str | None) -> bool:
    """Take the lease from whoever has this token, or from nobody."""
    held = rows.c.lease_token.is_(None) if token is None else rows.c.lease_token == token
    mine = {"lease_owner": this_process(), "lease_token": lease.token, "lease_beats": 0}
    with lease.engine.begin() as connection:
        taken = connection.execute(update(rows).where(rows.c.name == lease.name, held).values(mine))
    return bool(taken.rowcount)


def _mine(lease: StoredLease) -> Any:
    return update(rows).where(rows.c.name == lease.name, rows.c.lease_token == lease.token)


def _beat(lease: StoredLease, stop: threading.Event) -> None:
    while not stop.wait(_BEAT_EVERY_S):
        try:
            with lease.engine.begin() as connection:
                connection.execute(_mine(lease).values(lease_beats=rows.c.lease_beats + 1))
        except (SQLAlchemyError, StoreError) as error:
            # It comes back before the lease is given away, or the change is refused at its end.
            _log.warning("the lease of %r was not renewed: %s", lease.name, type(error).__name__)
