"""Files that users handed in and have not said yet: their text, in memory alone.

Once a message names a file, its text is part of the user's turn and shares its fate: it is masked,
judged, kept and forgotten with it. The file itself is kept nowhere.
"""

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conversation.server.errors import ApiError, not_found

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
"""Files being read; more wait."""
READ_WAITS_S = 30.0


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


class HeldFiles:
    """The files of conversations that are being held here. Safe to share between threads."""

    def __init__(self, timer_s: Callable[[], float]) -> None:
        """Take seconds that only ever grow."""
        self._timer_s = timer_s
        self._lock = threading.Lock()
        self._held: dict[str, dict[str, HeldFile]] = {}
        self._counts: dict[str, int] = {}
        """Files that were handed in for a conversation, also those that were said or removed."""
        self._reading = threading.BoundedSemaphore(READ_AT_ONCE)

    def add(self, conversation_id: str, name: str, read: Callable[[], str], *, most: int) -> str:
        """The id of a file that is held from now on.

        Args:
            conversation_id: Of whom.
            name: As the user calls it.
            read: Gives its text; raises whatever says why it has none.
            most: Files of this conversation, all in all.

        Raises:
            ApiError: There were as many already, or too many files are being read.
        """
        self._count(conversation_id, most)
        try:
            if not self._reading.acquire(timeout=READ_WAITS_S):
                raise ApiError(429, "too_many_files", "Too many files are being read; try again.")
            try:
                text = read()
            finally:
                self._reading.release()
        except BaseException:
            self._uncount(conversation_id)
            raise
        file_id = f"file_{secrets.token_hex(16)}"
        left_out = max(0, len(text) - MAX_FILE_CHARS)
        held = HeldFile(file_id, name, text[:MAX_FILE_CHARS], left_out, self._timer_s())
        with self._lock:
            self._held.setdefault(conversation_id, {})[file_id] = held
            self._make_room()
        return file_id

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

    def _uncount(self, conversation_id: str) -> None:
        with self._lock:
            if conversation_id in self._counts:
                self._counts[conversation_id] -= 1

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
