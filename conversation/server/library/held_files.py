"""Files that users handed in and have not said yet: their text, in the store.

Another server than the one that holds the conversation may have taken them, where a balancer stands
in front of several. Once a message names a file, its text is part of the user's turn and shares its
fate: it is masked, judged, kept and forgotten with it. What was not said is gone when the
conversation ends, and the file itself is kept nowhere.
"""

import asyncio
import logging
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.store.tables import conversations
from conversation.store.tables import handed_in_files as rows
from conversation.transcript import TurnFile

_log = logging.getLogger(__name__)

MAX_FILE_BYTES = 10 * 2**20
MAX_FILE_CHARS = 8_000
"""Of the text of one file; what is beyond is left out, and the turn says so."""
MAX_SAID_CHARS = 16_000
"""Of all files of one message."""
MAX_HELD_CHARS = 20_000_000
"""Of all conversations of the store; beyond it the oldest are let go."""
HELD_FOR = timedelta(hours=1)
"""A file that nobody names for so long can be named no more."""
LOOKED_AT_EVERY_S = 300.0
"""How much longer its text may be in the store, as long as a server runs."""
READ_AT_ONCE = 2
"""Files being read, on threads that do nothing else; more wait."""
PLACES = 8
"""Files being read or waiting for it, of the whole server; beyond it nobody waits."""
PLACES_OF_ADDRESS = 4
PLACES_OF_CONVERSATION = 3
UNTOLD = "application/octet-stream"
"""Type of a file of which nobody said one."""
_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,80}", re.ASCII)
_TRY_AGAIN_S = 5


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file, as far as the agent will hear of it."""

    file_id: str
    name: str
    text: str
    left_out_chars: int
    mime_type: str | None = None
    """As the client says; None where it says none that can be one."""

    @property
    def said(self) -> str:
        """How the user's turn shows it."""
        note = f"\n[{self.left_out_chars:,} more characters]" if self.left_out_chars else ""
        return f"[{self.name}]\n{self.text}{note}"

    @property
    def of_turn(self) -> TurnFile:
        """What the user's turn keeps of it beside its text."""
        kind = self.mime_type or UNTOLD
        return TurnFile(file_id=self.file_id, name=self.name, mime_type=kind)


def conversation_over() -> ApiError:
    """The answer to files for a conversation that is held no more."""
    return ApiError(IN_THE_WAY, "conversation_over", "This conversation is over.")


class HeldFiles:
    """The files of conversations that are being held. Safe to share between threads and servers."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        """Take the engine of an opened `ConversationStore`, and a clock in UTC."""
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._places: Counter[tuple[str, str]] = Counter()
        self._readers = ThreadPoolExecutor(READ_AT_ONCE, thread_name_prefix="reads-a-file")

    async def add(
        self,
        conversation_id: str,
        name: str,
        read: Callable[[], str],
        *,
        most: int,
        address: str,
        mime_type: str | None = None,
    ) -> str:
        """The id of a file that is held from now on. Waiting for a parser holds no thread.

        Args:
            conversation_id: Of whom.
            name: As the user calls it.
            read: Gives its text; raises whatever says why it has none. Called from a thread.
            most: Files of this conversation, all in all; one that cannot be read is one of them.
            address: Where it comes from.
            mime_type: What its client calls it; what can be no type is as good as none.

        Raises:
            ApiError: There were as many already, too many files are being read, or the
                conversation ended meanwhile.
        """
        with self._place(conversation_id, address):
            file_id = await asyncio.to_thread(self._reserve, conversation_id, most)

            def held() -> str:
                self._hold(file_id, name, read(), _plain_type(mime_type))
                return file_id

            return await asyncio.get_running_loop().run_in_executor(self._readers, held)

    def _reserve(self, conversation_id: str, most: int) -> str:
        """The id of a file that counts from now on, whatever becomes of it."""
        file_id = f"file_{secrets.token_hex(16)}"
        of_call = rows.c.conversation_id == conversation_id
        with self._engine.begin() as connection:
            # Locked: neither does it end meanwhile, nor does another server count.
            status = connection.execute(
                select(conversations.c.status)
                .where(conversations.c.conversation_id == conversation_id)
                .with_for_update()
            ).scalar()
            if status != "in_progress":
                raise conversation_over()
            counted = select(func.count()).select_from(rows).where(of_call)
            count = connection.execute(counted).scalar_one()
            if count >= most:
                raise ApiError(
                    400,
                    "file_limit_exceeded",
                    f"{count} files were handed in to this conversation, and it takes {most}.",
                )
            place = {"file_id": file_id, "conversation_id": conversation_id, "left_out_chars": 0}
            connection.execute(insert(rows).values(handed_in_at=self._clock(), **place))
        return file_id

    def _hold(self, file_id: str, name: str, text: str, mime_type: str | None) -> None:
        values = {
            "name": name,
            "mime_type": mime_type,
            "text": text[:MAX_FILE_CHARS],
            "left_out_chars": max(0, len(text) - MAX_FILE_CHARS),
            "handed_in_at": self._clock(),
        }
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(rows).where(rows.c.file_id == file_id).values(values)
            )
            if not changed.rowcount:
                raise conversation_over()
            self._make_room(connection)

    @contextmanager
    def _place(self, conversation_id: str, address: str) -> Generator[None]:
        """A place among those who wait, or 429 at once where others would wait for them."""
        wanted = {
            ("server", ""): PLACES,
            ("address", address): PLACES_OF_ADDRESS,
            ("conversation", conversation_id): PLACES_OF_CONVERSATION,
        }
        with self._lock:
            if any(self._places[of] >= most for of, most in wanted.items()):
                raise ApiError(
                    429,
                    "too_many_files",
                    "Too many files are being read; try again.",
                    headers={"Retry-After": str(_TRY_AGAIN_S)},
                )
            self._places.update(wanted.keys())
        try:
            yield
        finally:
            with self._lock:
                self._places.subtract(wanted.keys())
                self._places = +self._places

    def take(self, conversation_id: str, file_ids: Sequence[str]) -> list[HeldFile]:
        """The files of a message, which are held no more; none where one of them is not there."""
        wanted = list(dict.fromkeys(file_ids))
        these = (
            (rows.c.conversation_id == conversation_id)
            & rows.c.file_id.in_(wanted)
            & rows.c.text.is_not(None)
            & (rows.c.handed_in_at > self._clock() - HELD_FOR)
        )
        order = ("file_id", "name", "text", "left_out_chars", "mime_type")
        columns = [rows.c[each] for each in order]
        with self._engine.begin() as connection:
            # Locked: who takes them second finds none.
            query = select(*columns).where(these).with_for_update()
            found = {row.file_id: HeldFile(*row) for row in connection.execute(query)}
            if len(found) < len(wanted):
                return []
            connection.execute(update(rows).where(these).values(_LET_GO))
        return [found[each] for each in wanted]

    def remove(self, conversation_id: str, file_id: str) -> None:
        """Let a file go that was not said.

        Raises:
            ApiError: It is not there, or not any more.
        """
        if not self.take(conversation_id, [file_id]):
            raise not_found("file", file_id[:64])

    def let_go_of_old(self) -> None:
        """Take the text of files out of the store that nobody named in time."""
        with self._engine.begin() as connection:
            self._let_go_of_old(connection)

    def _let_go_of_old(self, connection: Connection) -> None:
        is_old = rows.c.handed_in_at <= self._clock() - HELD_FOR
        connection.execute(update(rows).where(rows.c.text.is_not(None), is_old).values(_LET_GO))

    def _make_room(self, connection: Connection) -> None:
        self._let_go_of_old(connection)
        chars = func.length(rows.c.text)
        query = select(rows.c.file_id, chars).where(rows.c.text.is_not(None))
        total = 0
        for file_id, length in connection.execute(query.order_by(rows.c.handed_in_at.desc())).all():
            total += length
            if total > MAX_HELD_CHARS:
                this = rows.c.file_id == file_id
                connection.execute(update(rows).where(this).values(_LET_GO))


async def let_go_in_time(files: Callable[[], HeldFiles], *, every_s: float) -> None:
    """Until it is cancelled, keep text out of the store that nobody will say."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await asyncio.to_thread(files().let_go_of_old)
        except SQLAlchemyError as error:  # the next time it may answer again
            _log.warning("files that nobody said stay for now: %s", type(error).__name__)


def _plain_type(given: str | None) -> str | None:
    """A type without parameters, e.g. of `text/plain; charset=utf-8`."""
    plain = (given or "").partition(";")[0].strip().casefold()
    return plain if _TYPE.fullmatch(plain) else None


_LET_GO = {"name": None, "text": None, "mime_type": None}
"""The row stays and counts."""
