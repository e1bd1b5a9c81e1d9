"""Files of one folder that many machines have: rows of the store, and a copy on each machine.

Each change of a file is a row with a number that counts up. A machine knows which numbers its
copies have. What a person or the server changes on one machine is put into the store by
compare-and-swap on that number, and fetched by the others when they look next.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.engine import Connection

from conversation.errors import StoreError
from conversation.store.database import READ_ONLY
from conversation.store.ownership import this_process
from conversation.store.tables import shared_files as rows
from kb.whole_file import write_whole

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
"""So old may a machine's copies be: one statement a second and process is asked for that."""
LOCK_TIMEOUT_S = 60.0
_SETTLED_AFTER_NS = 50_000_000
"""A file that is younger may change again and look as it did: clocks of file systems tick."""
KNOWN = ".shared.json"
"""Beside the copies: which change each of them is."""


class FileChangedError(StoreError):
    """Somebody else changed the file since this machine read it."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file as it is since one change."""

    name: str
    change: int
    content: bytes | None
    """None where it was deleted."""
    changed_by: str


class SharedFiles:
    """The files of one folder in the store. Safe to share between threads and processes."""

    def __init__(self, engine: Engine, folder: str) -> None:
        """Take the engine of an opened `ConversationStore`, and what the folder is called there."""
        self._engine = engine
        self._folder = folder

    def since(self, change: int) -> list[FileChange]:
        """Files that were changed after the change of this number, in the order of that."""
        query = (
            select(rows.c.name, rows.c.change, rows.c.content, rows.c.changed_by)
            .where(rows.c.folder == self._folder, rows.c.change > change)
            .order_by(rows.c.change)
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return [FileChange(*row) for row in connection.execute(query)]

    def put(self, name: str, content: bytes | None, *, known: int, now: datetime) -> int:
        """Change a file, or delete it with None; returns the number of this change.

        Args:
            name: Of the file.
            content: What shall be in it.
            known: Number of the change that this one was made on; 0 for a new file.
            now: When.

        Raises:
            FileChangedError: It was changed since.
        """
        this = (rows.c.folder == self._folder) & (rows.c.name == name)
        with self._engine.begin() as connection:
            change = self._next_change(connection)
            values = {"change": change, "content": content, "changed_by": this_process()}
            found = connection.execute(select(rows.c.change, rows.c.content).where(this)).first()
            standing = 0 if found is None or (found.content is None and not known) else found.change
            if standing != known:
                raise FileChangedError(
                    f"{name!r} was changed on another machine meanwhile. Read it again and repeat "
                    "the change."
                )
            if found is None:
                row = {"folder": self._folder, "name": name, "changed_at": now, **values}
                connection.execute(insert(rows).values(row))
            else:
                connection.execute(update(rows).where(this).values(changed_at=now, **values))
        return change

    def _next_change(self, connection: Connection) -> int:
        """The next number. Nobody else has one until this transaction ends: no reader skips any."""
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            connection.exec_driver_sql(f"lock table {rows.name} in share row exclusive mode")
        last = connection.execute(select(func.coalesce(func.max(rows.c.change), 0))).scalar_one()
        return int(last) + 1


def _any(_name: str, _content: bytes) -> str | None:
    return None


@dataclass(slots=True)
class _Known:
    """What a machine knows of its copies."""

    seen: int = 0
    """Number of the last change that was looked at; 0 on a machine that is new."""
    files: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """Change and digest of each copy."""

    def change_of(self, name: str) -> int:
        """Which change a copy is; 0 where there is none."""
        return self.files.get(name, (0, ""))[0]


class MirroredFolder:
    """This machine's copy of a folder that the store holds. Safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        files: SharedFiles,
        *,
        suffixes: Sequence[str],
        why_not: Callable[[str, bytes], str | None] = _any,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        """Take both sides.

        Args:
            folder: Of the copies; made when it is missing.
            files: In the store.
            suffixes: Of the names of files that are meant.
            why_not: Says why a file may not go to other machines, such as half an edit.
            now: The clock.
            look_every_s: How old the copies may be.
        """
        self.folder = folder
        self._files = files
        self._suffixes = tuple(suffixes)
        self._why_not = why_not
        self._now = now
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._looked_s: float | None = None
        self._digests: dict[str, tuple[tuple[int, int, int], str]] = {}
        self._told: dict[str, str] = {}

    def follow(self, *, at_once: bool = False) -> Mapping[str, str]:
        """Bring both sides together; returns what is wrong with files that could not be.

        Args:
            at_once: Look now, however short ago the last look was.

        Raises:
            StoreError: The folder cannot be written.
        """
        with self._lock:
            now_s = time.monotonic()
            recent = self._looked_s is not None and now_s - self._looked_s < self._look_every_s
            if recent and not at_once:
                return {}
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                with FileLock(self.folder / ".shared.lock", timeout=LOCK_TIMEOUT_S):
                    found = self._follow()
            except OSError as error:
                raise StoreError(
                    f"The folder {str(self.folder)!r} cannot follow the store: "
                    f"{error.strerror or error}. Nothing was lost; it follows when it can be "
                    "written again."
                ) from error
            self._looked_s = time.monotonic()
            for name, said in found.items():
                if self._told.get(name) != said:
                    _log.warning("%s", said)
            self._told = dict(found)
            return found

    def _follow(self) -> Mapping[str, str]:
        known, here = self._read_known(), self._here()
        before = {name: digest for name, (_, digest) in known.files.items()}
        changed = {name for name in {*before, *here} if before.get(name) != here.get(name)}
        new = self._files.since(known.seen)
        # What this machine put there itself it knows already.
        others = {each.name: each for each in new if known.change_of(each.name) != each.change}
        problems: dict[str, str] = {}
        for name in sorted(changed):
            # Else it is the same change: made twice, or here and cut short before it was noted.
            if name not in others or _digest(others[name].content) != here.get(name):
                self._put(name, known, others, problems)
        for each in others.values():
            self._take(each, known, here)
        known.seen = max([known.seen, *(each.change for each in new)])
        if new or changed.difference(problems):
            # Only now: whoever is killed before finds the same differences again.
            write_whole(self.folder / KNOWN, _as_bytes(known))
        return problems

    def _put(
        self,
        name: str,
        known: _Known,
        others: dict[str, FileChange],
        problems: dict[str, str],
    ) -> None:
        """Put what was changed here into the store, unless somebody else was quicker."""
        change = known.change_of(name)
        content = self._content(name)
        other = others.get(name)
        # A machine that is new does not bring back what the others deleted.
        is_new = known.seen > 0 and not change
        try:
            if other is not None and not (is_new and other.content is None):
                raise FileChangedError(name)
            why = None if content is None else self._why_not(name, content)
            if why is not None:
                problems[name] = f"{why} Until then the other machines keep what they have of it."
                return
            number = self._files.put(name, content, known=change, now=self._now())
        except FileChangedError:
            others.update({each.name: each for each in self._files.since(0) if each.name == name})
            problems[name] = self._set_aside(name, content, others[name].changed_by)
            return
        others.pop(name, None)
        _note(known, name, number, content)

    def _take(self, other: FileChange, known: _Known, here: Mapping[str, str]) -> None:
        """Take over what another machine made of a file."""
        path = self.folder / other.name
        is_plain = path.name == other.name and not other.name.startswith(".")
        if not is_plain or path.suffix not in self._suffixes:
            _log.error("the store names a file %r, which is none of this folder", other.name)
            return
        if _digest(other.content) != here.get(other.name):
            if other.content is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, other.content)
        _note(known, other.name, other.change, other.content)

    def _set_aside(self, name: str, content: bytes | None, changed_by: str) -> str:
        """Keep what was written here where it harms nobody; returns the sentence about it."""
        machine = changed_by.partition("/")[0]
        said = f"{str(self.folder / name)!r} was changed here and on {machine!r}, which was first"
        if content is None:
            return f"{said}: it is there again. Delete it once more if it shall go."
        aside = self.folder / f"{name}.yours"
        write_whole(aside, content)
        return (
            f"{said}: what was made there is in force on all machines, yours lies in "
            f"{aside.name!r}. Put what is missing into {name!r} and delete {aside.name!r}."
        )

    def _here(self) -> dict[str, str]:
        """Digests of the files that are here; those that did not change are not read again."""
        found: dict[str, str] = {}
        for path in self.folder.iterdir():
            if path.suffix not in self._suffixes or path.name.startswith("."):
                continue
            with suppress(FileNotFoundError):  # it was deleted just now
                stat = path.stat()
                state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                kept = self._digests.get(path.name)
                settled = time.time_ns() - stat.st_mtime_ns > _SETTLED_AFTER_NS
                if kept is None or kept[0] != state or not settled:
                    kept = (state, hashlib.sha256(path.read_bytes()).hexdigest())
                    self._digests[path.name] = kept
                found[path.name] = kept[1]
        return found

    def _content(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def _read_known(self) -> _Known:
        try:
            found = json.loads((self.folder / KNOWN).read_text("utf-8"))
            files = {str(name): (int(c), str(d)) for name, (c, d) in found["files"].items()}
            return _Known(int(found["seen"]), files)
        except FileNotFoundError:
            return _Known()
        except (ValueError, KeyError, TypeError, AttributeError):
            # Everything is looked at again as by a new machine: what differs is set aside.
            return _Known()


def _note(known: _Known, name: str, change: int, content: bytes | None) -> None:
    digest = _digest(content)
    if digest is None:
        known.files.pop(name, None)
    else:
        known.files[name] = (change, digest)


def _as_bytes(known: _Known) -> bytes:
    return json.dumps({"seen": known.seen, "files": known.files}, sort_keys=True).encode()


def _digest(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
