"""What agents were: every version that was live, small, and none but the last when nobody asks.

A version is a configuration, named by its hash; conversations name the one they were held with. An
entry says when it became live and by whom. A version that comes back is an entry more, not a copy.
"""

import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import IntegrityError

from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError
from conversation.store.database import READ_ONLY
from conversation.store.tables import agent_version_bodies as bodies
from conversation.store.tables import agent_versions as entries

BY_FILE, BY_CONVERSATION = "file", "conversation"
"""Who made a version that was found in a file, or first seen in a conversation: it was given
to it, or made of a file by the settings of the deployment."""
MAX_VERSIONS = 200
MAX_BYTES = 20 * 2**20
"""Of an agent, compressed; what is older goes first."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """One time that an agent became like this."""

    agent_id: str
    number: int
    """Counts what was live of the agent, from 1."""
    version_id: str
    made_at: datetime
    made_by: str
    description: str
    sent: Mapping[str, Any] | None
    """What clients had sent by then; None where that was not known."""
    before_id: str | None = None
    """What was live before; None for the first that is kept."""


class AgentVersions:
    """The versions of all agents. Safe to share between threads and processes."""

    def __init__(
        self, engine: Engine, *, max_versions: int = MAX_VERSIONS, max_bytes: int = MAX_BYTES
    ) -> None:
        """Take the engine of an opened `ConversationStore`, and what is kept of an agent."""
        self._engine = engine
        self._max_versions = max_versions
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._live: dict[str, str] = {}
        self._held: set[tuple[str, str]] = set()

    def note(
        self,
        agent: AgentConfig,
        *,
        at: datetime,
        by: str = BY_FILE,
        description: str = "",
        sent: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep that an agent is live like this from now on; nothing where it was before.

        A description of what was live already replaces the one that it had.
        """
        version_id = agent.version
        with self._lock:
            if self._live.get(agent.agent_id) == version_id and not description:
                return
        entry: dict[str, Any] = {
            "agent_id": agent.agent_id,
            "version_id": version_id,
            "made_at": at,
            "made_by": by,
            "description": description,
            "sent": None if sent is None else dict(sent),
        }
        self._keep(agent, entry, only_if_unknown=False)
        with self._lock:
            self._live[agent.agent_id] = version_id
            self._held.add((agent.agent_id, version_id))

    def hold(self, agent: AgentConfig, *, at: datetime) -> None:
        """Keep what a conversation is held with, where nothing of it is kept."""
        held = (agent.agent_id, agent.version)
        with self._lock:
            if held in self._held:
                return
        entry: dict[str, Any] = {
            "agent_id": agent.agent_id,
            "version_id": agent.version,
            "made_at": at,
            "made_by": BY_CONVERSATION,
            "description": "",
            "sent": None,
        }
        self._keep(agent, entry, only_if_unknown=True)
        with self._lock:
            self._held.add(held)

    def history(self, agent_id: str, *, limit: int | None = None) -> list[AgentVersion]:
        """What was live of an agent and is kept, newest first."""
        query = select(entries).where(entries.c.agent_id == agent_id)
        query = query.order_by(entries.c.number.desc())
        if limit is not None:
            query = query.limit(limit + 1)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            rows = connection.execute(query).all()
        older = [*rows, None][1:]
        found = [_version(row, before) for row, before in zip(rows, older, strict=True)]
        return found if limit is None else found[:limit]

    def entry(self, agent_id: str, version_id: str) -> AgentVersion | None:
        """The last time that this version was live; None when it is not kept."""
        found = (each for each in self.history(agent_id) if each.version_id == version_id)
        return next(found, None)

    def agent(self, agent_id: str, version_id: str) -> AgentConfig | None:
        """An agent as it was in this version; None when it is not kept.

        Raises:
            AgentConfigError: It was kept by a release whose agents cannot be read any more.
        """
        query = select(bodies.c.body).where(
            bodies.c.agent_id == agent_id, bodies.c.version_id == version_id
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            body = connection.execute(query).scalar()
        if body is None:
            return None
        try:
            return AgentConfig.model_validate_json(zlib.decompress(body))
        except ValidationError as error:
            raise AgentConfigError(
                f"The version {version_id!r} of {agent_id!r} is of another release of this "
                f"program, and {error.error_count()} of its settings can no longer be read."
            ) from error

    def forget(self, agent_id: str) -> None:
        """Forget every version of an agent."""
        with self._engine.begin() as connection:
            connection.execute(delete(entries).where(entries.c.agent_id == agent_id))
            connection.execute(delete(bodies).where(bodies.c.agent_id == agent_id))
        with self._lock:
            self._live.pop(agent_id, None)
            self._held = {each for each in self._held if each[0] != agent_id}

    def _keep(self, agent: AgentConfig, entry: dict[str, Any], *, only_if_unknown: bool) -> None:
        for attempt in range(_TRIES):
            try:
                with self._engine.begin() as connection:
                    self._add(connection, agent, entry, only_if_unknown=only_if_unknown)
                return
            except IntegrityError:  # another process kept one at the same moment
                if attempt == _TRIES - 1:
                    raise

    def _add(
        self,
        connection: Connection,
        agent: AgentConfig,
        entry: dict[str, Any],
        *,
        only_if_unknown: bool,
    ) -> None:
        agent_id, version_id = entry["agent_id"], entry["version_id"]
        of_agent = entries.c.agent_id == agent_id
        last = connection.execute(
            select(entries).where(of_agent).order_by(entries.c.number.desc()).limit(1)
        ).first()
        is_known = (bodies.c.agent_id == agent_id) & (bodies.c.version_id == version_id)
        known = connection.execute(select(func.count()).where(is_known)).scalar_one() > 0
        if known and only_if_unknown:
            return
        if last is not None and last.version_id == version_id:
            if entry["description"]:
                this = of_agent & (entries.c.number == last.number)
                said = {"description": entry["description"]}
                connection.execute(update(entries).where(this).values(said))
            return
        if not known:
            body = zlib.compress(agent.model_dump_json().encode())
            row = {"agent_id": agent_id, "version_id": version_id, "body": body}
            connection.execute(insert(bodies).values(row))
        number = 1 if last is None else last.number + 1
        connection.execute(insert(entries).values(entry | {"number": number}))
        self._shorten(connection, agent_id)

    def _shorten(self, connection: Connection, agent_id: str) -> None:
        """Let the oldest go where an agent has more than is kept."""
        size = func.length(bodies.c.body).label("size")
        of_agent = entries.c.agent_id == agent_id
        rows = connection.execute(
            select(entries.c.number, entries.c.version_id, size)
            .join(
                bodies,
                (bodies.c.agent_id == entries.c.agent_id)
                & (bodies.c.version_id == entries.c.version_id),
            )
            .where(of_agent)
            .order_by(entries.c.number.desc())
        ).all()
        kept = _kept(rows, max_versions=self._max_versions, max_bytes=self._max_bytes)
        if len(kept) == len(rows):
            return
        oldest = min(row.number for row in kept)
        connection.execute(delete(entries).where(of_agent, entries.c.number < oldest))
        named = {row.version_id for row in kept}
        gone = sorted({row.version_id for row in rows} - named)
        if gone:
            connection.execute(
                delete(bodies).where(bodies.c.agent_id == agent_id, bodies.c.version_id.in_(gone))
            )


def _kept(
    rows: Sequence[Row[int, str, int]], *, max_versions: int, max_bytes: int
) -> list[Row[int, str, int]]:
    """The newest of `rows` that fit; the first of them always."""
    kept: list[Row[int, str, int]] = []
    sizes: dict[str, int] = {}
    for row in rows[:max_versions]:
        sizes[row.version_id] = row.size
        if kept and sum(sizes.values()) > max_bytes:
            break
        kept.append(row)
    return kept


def _version(row: Row[Any], before: Row[Any] | None) -> AgentVersion:
    return AgentVersion(
        row.agent_id,
        row.number,
        row.version_id,
        row.made_at,
        row.made_by,
        row.description,
        row.sent,
        None if before is None else before.version_id,
    )
