"""How many calls a model may get: its provider's limits, shared by everything in this process.

Times come in as arguments. A call is booked ahead at the first moment that has room for it, so
that calls keep their order; whatever span of a minute one looks at, the limits hold in it.
"""

import re
import threading
from collections import deque
from dataclasses import dataclass

WINDOW_S = 60.0
_LIMIT = re.compile(
    r"(?P<model>[^=\s]+/[^=\s]+)\s*=\s*(?P<requests>[1-9]\d*)?\s*/\s*(?P<tokens>[1-9]\d*)?"
)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a provider allows an account for one model; None stands for no limit."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Read and written together."""


def parse_limits(text: str) -> dict[str, RateLimit]:
    """Limits by model string, from `MODEL=REQUESTS/TOKENS, ...`; either number may be missing.

    Raises:
        ValueError: The text has another form.
    """
    limits: dict[str, RateLimit] = {}
    for entry in (part.strip() for part in text.split(",")):
        if not entry:
            continue
        found = _LIMIT.fullmatch(entry)
        if found is None or not (found["requests"] or found["tokens"]):
            raise ValueError(
                f"{entry!r} is no limit; write MODEL=REQUESTS/TOKENS for what is allowed in a "
                "minute, e.g. openai/gpt-4.1-mini=500/200000 or ollama/llama3.2=60/"
            )
        limits[found["model"]] = RateLimit(
            int(found["requests"]) if found["requests"] else None,
            int(found["tokens"]) if found["tokens"] else None,
        )
    return limits


@dataclass(slots=True, eq=False)
class Booking:
    """One call's place in the traffic."""

    start_s: float
    """When the call may begin."""
    tokens: int
    is_booked: bool = True
    """False when `start_s` was too late for the caller: no place is kept."""


class Traffic:
    """The calls of one model within the last minute, and those that wait. Safe between threads."""

    def __init__(self, limit: RateLimit = RateLimit()) -> None:
        self.limit = limit
        self._booked: deque[Booking] = deque()
        self._paused_until_s = float("-inf")
        self._lock = threading.Lock()

    def pause(self, until_s: float) -> None:
        """Let no call begin before `until_s`: the provider asked for that."""
        with self._lock:
            self._paused_until_s = max(self._paused_until_s, until_s)

    def book(self, tokens: int, *, now_s: float, latest_s: float | None = None) -> Booking:
        """A place for one call, as early as the limits allow.

        Args:
            tokens: That the call will probably take.
            now_s: The time.
            latest_s: A call that cannot begin by then gets no place.
        """
        with self._lock:
            while self._booked and self._booked[0].start_s <= now_s - WINDOW_S:
                self._booked.popleft()
            booking = Booking(self._first_room_s(tokens, now_s), tokens)
            if latest_s is not None and booking.start_s > latest_s:
                booking.is_booked = False
            else:
                self._booked.append(booking)
            return booking

    def settle(self, booking: Booking, tokens: int) -> None:
        """Say what a call really took."""
        with self._lock:
            booking.tokens = tokens

    def cancel(self, booking: Booking) -> None:
        """Give back the place of a call that never began."""
        with self._lock:
            if booking in self._booked:
                self._booked.remove(booking)

    def _first_room_s(self, tokens: int, now_s: float) -> float:
        """The earliest start, not before that of any call that was booked earlier.

        Bookings stand in the order of their starts, so that those within any minute follow each
        other: walking back from the newest, the first one that leaves no room has to leave.
        """
        start_s = max(now_s, self._paused_until_s)
        if self._booked:
            start_s = max(start_s, self._booked[-1].start_s)
        requests, most = self.limit.requests_per_minute, self.limit.tokens_per_minute
        taken = 0
        for count, booking in enumerate(reversed(self._booked), start=1):
            leaves_s = booking.start_s + WINDOW_S
            if leaves_s <= start_s:
                break
            taken += booking.tokens
            too_many = requests is not None and count >= requests
            if too_many or (most is not None and taken + tokens > most):
                return leaves_s
        return start_s


_shared: dict[tuple[str, str | None], Traffic] = {}
_shared_lock = threading.Lock()


def shared_traffic(
    model: str, *, api_base: str | None = None, limit: RateLimit | None = None
) -> Traffic:
    """The traffic of a model in this process; a limit that is given holds from now on."""
    with _shared_lock:
        traffic = _shared.setdefault((model, api_base), Traffic())
        if limit is not None:
            traffic.limit = limit
        return traffic
