"""Where a request runs: the slot that saves most reading, in the order of arrival."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LOST_SHARE = 0.25
"""How likely it is that what is overwritten would have been read again.

What stands at the end of a slot is an answer and, with retrieval, passages that no later prompt
repeats; only history in front of them is ever missed.
"""

WORTH_WAITING_CHARS = 200
"""Of a prompt: who says something else than was expected reads the rest of it anew elsewhere."""


@dataclass(slots=True)
class _Slot:
    text: str = ""
    """The prompt that it holds, with the answer."""
    used_at: int = 0
    """Number of the request that had it last."""
    is_busy: bool = False
    asked: str = ""
    """The prompt that is being answered in it; empty when none is."""
    to_hold: str = ""
    """What is being read into it for a request that is still to come; empty when nothing is."""


class Slots:
    """The slots of one engine. Safe to use from any thread."""

    def __init__(self, count: int) -> None:
        self._slots = [_Slot() for _ in range(count)]
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._requests = 0

    def take(
        self, text: str, *, restorable: int, given_up: Callable[[], bool], warms: bool = False
    ) -> int | None:
        """Wait for a slot for a request; those that came before are served before.

        Args:
            text: The prompt.
            restorable: Characters at its beginning that any slot can get without reading.
            given_up: Asked whenever something changes: whether nobody waits for it any more.
            warms: Whether the slot is to be filled only, for a request that is still to come.

        Returns:
            The number of the slot; None when the request was given up.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: (
                        given_up()
                        or (self._waiting[0] is ticket and self._is_ready(text, restorable))
                    )
                )
                if given_up():
                    return None
                self._requests += 1
                number = self._best(text, restorable)
                slot = self._slots[number]
                slot.is_busy = True
                slot.asked, slot.to_hold = ("", text) if warms else (text, "")
                slot.used_at = self._requests
                return number
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def held(self, number: int) -> str:
        """The prompt that a slot holds."""
        with self._changed:
            return self._slots[number].text

    def give_back(self, number: int, text: str) -> None:
        """A request ended and left this prompt in its slot."""
        with self._changed:
            slot = self._slots[number]
            slot.text, slot.is_busy, slot.asked, slot.to_hold = text, False, "", ""
            self._changed.notify_all()

    def holds(self, text: str) -> bool:
        """Whether some slot has read this beginning already, or is about to."""
        with self._changed:
            return any(
                held.startswith(text) for slot in self._slots for held in (slot.text, slot.to_hold)
            )

    def wait_for_answer(self, text: str, *, given_up: Callable[[], bool]) -> None:
        """Wait until no prompt that this text goes on from is being answered any more.

        An answer that was cut short goes on for a moment, in the slot that holds its conversation.
        Nobody who comes meanwhile has to wait behind this.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    given_up()
                    or not any(slot.asked and text.startswith(slot.asked) for slot in self._slots)
                )
            )

    def wake(self) -> None:
        """Have everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    @property
    def running(self) -> int:
        """Slots that work."""
        with self._changed:
            return sum(slot.is_busy for slot in self._slots)

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot."""
        with self._changed:
            return len(self._waiting)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no slot works; false when some still does."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(slot.is_busy for slot in self._slots), timeout=timeout_s
            )

    def _is_ready(self, text: str, restorable: int) -> bool:
        """Whether there is a slot, and none is just being filled for this very request."""
        idle = [common_chars(text, slot.text) for slot in self._slots if not slot.is_busy]
        if not idle:
            return False
        known = max(restorable, *idle)
        return not any(
            text.startswith(slot.to_hold)
            or common_chars(text, slot.to_hold) - known > WORTH_WAITING_CHARS
            for slot in self._slots
            if slot.to_hold
        )

    def _best(self, text: str, restorable: int) -> int:
        idle = [number for number, slot in enumerate(self._slots) if not slot.is_busy]
        return best_slot(
            text,
            [self._slots[number].text for number in idle],
            [self._requests - self._slots[number].used_at for number in idle],
            numbers=idle,
            restorable=restorable,
        )


def best_slot(
    text: str,
    held: Sequence[str],
    ages: Sequence[int],
    *,
    numbers: Sequence[int],
    restorable: int,
) -> int:
    """The one of `numbers` in which a prompt saves most, less what others lose by that.

    Args:
        text: The prompt.
        held: What each slot holds.
        ages: How many requests ago each was used: what is old is less likely to be missed.
        numbers: Of the slots.
        restorable: Characters of the prompt that any slot gets without reading.
    """

    def worth(index: int) -> tuple[float, int]:
        common = common_chars(text, held[index])
        # Beyond what comes back without reading, nobody loses anything.
        lost = max(0, len(held[index]) - max(common, restorable))
        return max(common, restorable) - LOST_SHARE * lost / max(ages[index], 1), ages[index]

    return numbers[max(range(len(held)), key=worth)]


def common_chars(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low
