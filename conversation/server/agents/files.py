"""Agents that the network protocol makes and changes: the same YAML files that people write.

What a file has no place for, as tags and settings that change nothing here, is a row beside it.
"""

import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from conversation.agent.agent_file import (
    AGENT_FILE_SUFFIXES,
    AgentListing,
    list_agents,
    load_agent,
    save_agent,
)
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import version_of
from conversation.errors import AgentConfigError
from conversation.server.errors import IN_THE_WAY, ApiError, NoSuchAgentError
from conversation.store.agent_versions import AgentVersions
from conversation.store.database import READ_ONLY
from conversation.store.shared_files import MirroredFolder
from conversation.store.tables import agent_notes

MAX_ID_CHARS = 64
LOCK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as its file says it, and what is known beside."""

    agent: AgentConfig
    path: Path
    created_at: datetime
    updated_at: datetime
    tags: tuple[str, ...] = ()
    sent: Mapping[str, Any] | None = None
    """What clients sent so far, merged: `conversation_config`, `platform_settings`, ..."""

    @property
    def version_id(self) -> str:
        """Names what conversations are held with; tags and what has no effect are no part of it."""
        return self.agent.version

    @property
    def version(self) -> str:
        """Changes when anything about the agent does."""
        return version_of(self.agent.version, repr(self.tags), repr(self.sent or {}))


class AgentRecords:
    """The agent files of one folder. Safe to share between threads and processes."""

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        *,
        versions: AgentVersions | None = None,
        copies: MirroredFolder | None = None,
    ) -> None:
        """Take where the files are.

        Args:
            folder: Of the files.
            engine: Of an opened `ConversationStore`.
            versions: Of that store.
            copies: The same folder, where it follows that of other machines.
        """
        self.folder = folder
        self.versions = versions or AgentVersions(engine)
        self._engine = engine
        self._copies = copies
        self._listed: tuple[object, list[AgentListing]] = (None, [])

    def all(self) -> list[AgentRecord]:
        """Every agent that can be used, by file name."""
        self._follow()
        notes = self._notes()
        found = [(row.agent, row.path) for row in self._listings()]
        return [self._record(agent, path, notes) for agent, path in found if agent is not None]

    def get(self, agent_id: str) -> AgentRecord:
        """One agent.

        Raises:
            NoSuchAgentError: No file has this id.
            AgentConfigError: Its file cannot be used.
        """
        self._follow()
        # Files that the protocol makes are named after their agents; others may be named anyhow.
        path = self.folder / f"{agent_id}.yaml"
        is_name = agent_id.isidentifier() and len(agent_id) <= MAX_ID_CHARS
        if is_name and path.is_file():
            agent = load_agent(path)
            if agent.agent_id == agent_id:
                return self._record(agent, path, self._notes(agent_id))
        for row in self._listings():
            if row.agent is not None and row.agent.agent_id == agent_id:
                return self._record(row.agent, row.path, self._notes(agent_id))
            if row.agent is None and row.path.stem == agent_id:
                raise AgentConfigError(row.error or f"The file of {agent_id!r} cannot be used.")
        raise NoSuchAgentError(f"There is no agent {agent_id[:64]!r}.")

    def create(
        self,
        agent: AgentConfig,
        *,
        now: datetime,
        by: str,
        tags: Sequence[str] = (),
        sent: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> AgentRecord:
        """Write the file of a new agent.

        Args:
            agent: The agent.
            now: The time.
            by: Who makes it, as its first version tells.
            tags: Of the agent.
            sent: What clients sent for it.
            description: Of its first version.

        Raises:
            ApiError: There is an agent of this id.
        """
        with self._changing() as changed:
            taken = {path.stem for path in self._files()}
            if agent.agent_id in taken:
                raise ApiError(
                    IN_THE_WAY, "agent_exists", f"There is an agent {agent.agent_id!r} already."
                )
            self._write_notes(agent.agent_id, created_at=now, tags=tags, sent=sent or {})
            self.versions.note(agent, at=now, by=by, description=description, sent=sent or {})
            changed.append(self.folder / f"{agent.agent_id}.yaml")
            save_agent(agent, changed[0])
        return self.get(agent.agent_id)

    def change(
        self,
        agent_id: str,
        how: Callable[[AgentRecord], AgentRecord],
        *,
        now: datetime,
        by: str,
        if_match: str | None = None,
        description: str = "",
    ) -> AgentRecord:
        """Put what `how` makes of an agent in its place; nobody else changes it meanwhile.

        Args:
            agent_id: Which.
            how: Gets the agent as it stands and returns it as it shall be.
            now: The time.
            by: Who changes it, as its version tells.
            if_match: The version that the client knows; None changes any.
            description: Of the version that this makes, or of the one that it leaves live.

        Raises:
            NoSuchAgentError: No file has this id.
            ApiError: The agent is not the one that the client knows.
        """
        with self._changing() as changed:
            before = self.get(agent_id)
            changed.append(before.path)
            if if_match not in (None, before.version, before.version_id):
                raise ApiError(
                    412,
                    "agent_changed",
                    f"The agent {agent_id!r} was changed meanwhile: it is at version "
                    f"{before.version!r}, not {if_match!r}. Read it again and repeat the change.",
                )
            after = how(before)
            if description or after.agent != before.agent:
                self.versions.note(
                    after.agent, at=now, by=by, description=description, sent=after.sent or {}
                )
            if after == before:
                return before
            self._write_notes(
                agent_id, created_at=before.created_at, tags=after.tags, sent=after.sent or {}
            )
            if after.agent != before.agent:
                save_agent(after.agent, before.path)
            else:
                before.path.touch()
        return self.get(agent_id)

    def delete(self, agent_id: str) -> None:
        """Delete an agent's file.

        Raises:
            NoSuchAgentError: No file has this id.
        """
        with self._changing() as changed:
            changed.append(self.get(agent_id).path)
            changed[0].unlink()
            with self._engine.begin() as connection:
                connection.execute(delete(agent_notes).where(agent_notes.c.agent_id == agent_id))
            self.versions.forget(agent_id)

    @contextmanager
    def _changing(self) -> Generator[list[Path]]:
        """Nobody else on this machine changes an agent; afterwards all machines have the change.

        Yields where the files that are changed are to be named.

        Raises:
            ApiError: Another machine changed the same agent meanwhile: its change stands.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._follow(at_once=True)
        with FileLock(self.folder / ".agents.lock", timeout=LOCK_TIMEOUT_S):
            changed: list[Path] = []
            yield changed
            problems = self._follow(at_once=True)
        # What is wrong with files that a person changed by hand stands in the log.
        lost = [path for path in changed if path.name in problems]
        for path in lost:
            path.with_name(f"{path.name}.yours").unlink(missing_ok=True)
        if lost:
            raise ApiError(
                IN_THE_WAY,
                "agent_changed",
                f"The agent {lost[0].stem!r} was changed on another machine meanwhile, and that "
                "change stands. Read it again and repeat the change.",
            )

    def _follow(self, *, at_once: bool = False) -> Mapping[str, str]:
        return {} if self._copies is None else self._copies.follow(at_once=at_once)

    def _listings(self) -> list[AgentListing]:
        """All files, read again when one changed: a YAML file takes milliseconds."""
        if not self.folder.is_dir():
            return []
        state: list[tuple[str, int, int]] = []
        for path in sorted(self._files()):
            with suppress(FileNotFoundError):  # it was deleted just now
                stat = path.stat()
                state.append((path.name, stat.st_mtime_ns, stat.st_size))
        listed = self._listed
        if listed[0] != state:
            listed = self._listed = (state, list_agents(self.folder))
        return listed[1]

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.suffix in AGENT_FILE_SUFFIXES]

    def _record(self, agent: AgentConfig, path: Path, notes: Mapping[str, Any]) -> AgentRecord:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        note = notes.get(agent.agent_id)
        if note is None:
            # A file that a person wrote: from now on it keeps its place in lists.
            self._add_notes(agent.agent_id, created_at=changed, tags=(), sent={})
            note = self._notes(agent.agent_id)[agent.agent_id]
        self.versions.note(agent, at=changed, sent=note.sent)
        return AgentRecord(
            agent, path, note.created_at, changed, tags=tuple(note.tags), sent=note.sent
        )

    def _notes(self, agent_id: str | None = None) -> dict[str, Any]:
        query = select(agent_notes)
        if agent_id is not None:
            query = query.where(agent_notes.c.agent_id == agent_id)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return {row.agent_id: row for row in connection.execute(query)}

    def _write_notes(
        self, agent_id: str, *, created_at: datetime, tags: Sequence[str], sent: Mapping[str, Any]
    ) -> None:
        self._add_notes(agent_id, created_at=created_at, tags=tags, sent=sent)
        with self._engine.begin() as connection:
            connection.execute(
                update(agent_notes)
                .where(agent_notes.c.agent_id == agent_id)
                .values(tags=list(tags), sent=dict(sent))
            )

    def _add_notes(
        self, agent_id: str, *, created_at: datetime, tags: Sequence[str], sent: Mapping[str, Any]
    ) -> None:
        """Begin to keep notes, unless somebody has."""
        row = {
            "agent_id": agent_id,
            "created_at": created_at,
            "tags": list(tags),
            "sent": dict(sent),
        }
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(insert(agent_notes).values(row))


def new_agent_id() -> str:
    """An id that no agent has."""
    return f"agent_{secrets.token_hex(10)}"
