"""Files that users handed in and have not said yet: their text, in memory alone.

Once a message names a file, its text is part of the user's turn and shares its fate: it is masked,
judged, kept and forgotten with it. The file itself is kept nowhere.
"""

import asyncio
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from conversation.server.errors import IN_THE_WAY, ApiError, not_found

MAX_FILE_BYTES = 10 * 2**20
MAX_FILE_CHARS = 8_000
"""Of the text of one file; what is beyond is left out, and the turn says so."""
MAX_SAID_CHARS = 16_000
"""Of all files of one message."""
MAX_HELD_CHARS = 20_000_000
"""Of all conversations of the server; beyond it the oldest are let go."""
HELD_S = 3_600.0
"""A file that nobody names for so long is let go."""
READ_AT_ONCE = 2
"""Files being read, on threads that do nothing else; more wait."""
PLACES = 8
"""Files being read or waiting for it, of the whole server; beyond it nobody waits."""
PLACES_OF_ADDRESS = 4
PLACES_OF_CONVERSATION = 3
_TRY_AGAIN_S = 5


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file, as far as the agent will hear of it."""

    file_id: str
    name: str
    text: str
    left_out_chars: int
    held_from_s: float

    @property
    def said(self) -> str:
        """How the user's turn shows it."""
        note = f"\n[{self.left_out_chars:,} more characters]" if self.left_out_chars else ""
        return f"[{self.name}]\n{self.text}{note}"


def conversation_over() -> ApiError:
    """The answer to files for a conversation that is held no more."""
    return ApiError(IN_THE_WAY, "conversation_over", "This conversation is over.")


class HeldFiles:
    """The files of conversations that are being held here. Safe to share between threads."""

    def __init__(self, timer_s: Callable[[], float]) -> None:
        """Take seconds that only ever grow."""
        self._timer_s = timer_s
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, HeldFile]] = {}
        self._counts: dict[str, int] = {}
        """Files that were handed in for a conversation, also those that could not be read, were
        said or removed."""
        self._places: Counter[tuple[str, str]] = Counter()
        self._readers = ThreadPoolExecutor(READ_AT_ONCE, thread_name_prefix="reads-a-file")

    async def add(
        self, conversation_id: str, name: str, read: Callable[[], str], *, most: int, address: str
    ) -> str:
        """The id of a file that is held from now on. Waiting for a parser holds no thread.

        Args:
            conversation_id: Of whom.
            name: As the user calls it.
            read: Gives its text; raises whatever says why it has none. Called from a thread.
            most: Files of this conversation, all in all; one that cannot be read is one of them.
            address: Where it comes from.

        Raises:
            ApiError: There were as many already, too many files are being read, or the
                conversation ended meanwhile.
        """
        with self._place(conversation_id, address):
            self._count(conversation_id, most)

            def held() -> str:
                return self._hold(conversation_id, name, read())

            return await asyncio.get_running_loop().run_in_executor(self._readers, held)

    def _hold(self, conversation_id: str, name: str, text: str) -> str:
        file_id = f"file_{secrets.token_hex(16)}"
        left_out = max(0, len(text) - MAX_FILE_CHARS)
        held = HeldFile(file_id, name, text[:MAX_FILE_CHARS], left_out, self._timer_s())
        with self._lock:
            if conversation_id not in self._counts:
                raise conversation_over()
            self._held.setdefault(conversation_id, {})[file_id] = held
            self._make_room()
        return file_id

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
        with self._lock:
            of_call = self._held.get(conversation_id, {})
            wanted = list(dict.fromkeys(file_ids))
            if any(each not in of_call for each in wanted):
                return []
            return [of_call.pop(each) for each in wanted]

    def remove(self, conversation_id: str, file_id: str) -> None:
        """Let a file go that was not said.

        Raises:
            ApiError: It is not there, or not any more.
        """
        if not self.take(conversation_id, [file_id]):
            raise not_found("file", file_id[:64])

    def forget(self, conversation_id: str) -> None:
        """The conversation is over."""
        with self._lock:
            self._held.pop(conversation_id, None)
            self._counts.pop(conversation_id, None)

    def _count(self, conversation_id: str, most: int) -> None:
        with self._lock:
            count = self._counts.get(conversation_id, 0)
            if count >= most:
                raise ApiError(
                    400,
                    "file_limit_exceeded",
                    f"{count} files were handed in to this conversation, and it takes {most}.",
                )
            self._counts[conversation_id] = count + 1

    def _make_room(self) -> None:
        now_s = self._timer_s()
        oldest_first = sorted(
            (each.held_from_s, call, each.file_id, len(each.text))
            for call, files in self._held.items()
            for each in files.values()
        )
        total = sum(chars for *_, chars in oldest_first)
        for held_from_s, call, file_id, chars in oldest_first:
            if total <= MAX_HELD_CHARS and now_s - held_from_s < HELD_S:
                return
            del self._held[call][file_id]
            total -= chars
