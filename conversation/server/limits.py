"""How much one client may have: rates, and conversations at the same time. Pure: time comes in."""

from collections import Counter
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass, field

from conversation.server.errors import POLICY, RefusedError

MAX_REMEMBERED = 10_000
"""Clients whose rate is remembered; beyond that, those at rest are forgotten."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What the server gives. None lifts a limit."""

    conversations: int | None = 1_000
    """At the same time, together."""
    conversations_per_agent: int | None = None
    conversations_per_address: int | None = 100
    conversations_per_key: int | None = 500
    starts_per_minute: int = 300
    """New conversations from one address."""
    requests_per_minute: int = 1_200
    """HTTP requests of one address, and of one key."""
    simulations: int = 4
    """Simulated conversations that are held at the same time."""
    body_bytes: int = 1_048_576
    upload_bytes: int = 26_214_400
    """Of a file that is uploaded."""
    head_timeout_s: float = 20.0
    """How long a request line and its headers may take to come."""
    body_timeout_s: float = 30.0
    """How long a client may send nothing of a body that it announced."""
    frames_per_second: int = 120
    """From one client in one conversation; a microphone sends about 31."""
    turns_per_minute: int = 60
    waiting_turns: int = 8
    """Said while the agent is still at an earlier turn."""
    init_timeout_s: float = 1.0
    """How long to wait for the client's first frame; very old clients send none."""
    first_sound_timeout_s: float = 1.5
    """How long a call waits for the microphone of a client that does not tell its name: very old
    ones lose what is said to them before."""
    settle_s: float = 0.05
    """How long what follows waits for a client that loses it when it comes in one piece with the
    name of the conversation."""
    send_timeout_s: float = 20.0
    """A client that takes nothing for so long is gone."""
    ping_every_s: float = 5.0
    keep_lost_s: float = 60.0
    """How long a conversation waits for a client that lost its network and can come back."""
    drain_timeout_s: float = 30.0
    """How long running turns may take when the server stops."""


@dataclass(slots=True)
class Bucket:
    """So many tokens a second, and never more than `burst` at once."""

    rate_per_s: float
    burst: float
    _tokens: float = field(init=False)
    _at_s: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._tokens = self.burst

    def take(self, now_s: float) -> bool:
        """Whether there is one more."""
        self._fill(now_s)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_s(self) -> float:
        """Until there is one more."""
        return max(0.0, 1 - self._tokens) / self.rate_per_s

    def is_full(self, now_s: float) -> bool:
        """Whether the client was at rest."""
        self._fill(now_s)
        return self._tokens >= self.burst

    def _fill(self, now_s: float) -> None:
        if self._at_s is not None:
            gained = (now_s - self._at_s) * self.rate_per_s
            self._tokens = min(self.burst, self._tokens + max(0.0, gained))
        self._at_s = now_s


class Rates:
    """One bucket for each client."""

    def __init__(self, *, per_minute: int) -> None:
        """Allow a sixth of a minute's worth at once."""
        self._rate_per_s = per_minute / 60
        self._burst = max(1.0, per_minute / 6)
        self._buckets: dict[Hashable, Bucket] = {}

    def wait_s(self, client: Hashable, *, now_s: float) -> float | None:
        """None when the client may go on; else how long it has to wait."""
        bucket = self._buckets.get(client)
        if bucket is None:
            if len(self._buckets) >= MAX_REMEMBERED:
                self._forget_those_at_rest(now_s)
            bucket = self._buckets[client] = Bucket(self._rate_per_s, self._burst)
        return None if bucket.take(now_s) else bucket.wait_s()

    def _forget_those_at_rest(self, now_s: float) -> None:
        # Over a copy: requests with a key are counted on other threads.
        for client, bucket in list(self._buckets.items()):
            if bucket.is_full(now_s):
                self._buckets.pop(client, None)


class Gate:
    """Counts running conversations. Used from the event loop alone."""

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._running: Counter[tuple[str, str]] = Counter()

    @property
    def running(self) -> int:
        """Conversations at this moment."""
        return self._running["server", ""]

    def held_with(self, agent_id: str | None) -> int:
        """Conversations at this moment with one agent, or with all."""
        return self.running if agent_id is None else self._running["agent", agent_id]

    @contextmanager
    def entered(self, *, agent_id: str, address: str, key_id: str | None) -> Generator[None]:
        """Hold a place for one conversation.

        Raises:
            RefusedError: There is none.
        """
        limits = self._limits
        places = [
            (("server", ""), limits.conversations, "The server"),
            (("agent", agent_id), limits.conversations_per_agent, "This agent"),
            (("address", address), limits.conversations_per_address, "Your address"),
        ]
        if key_id is not None:
            places.append((("key", key_id), limits.conversations_per_key, "Your API key"))
        for place, limit, whose in places:
            if limit is not None and self._running[place] >= limit:
                raise RefusedError(
                    POLICY, f"{whose} has reached its limit of {limit} conversations at a time."
                )
        for place, _, _ in places:
            self._running[place] += 1
        try:
            yield
        finally:
            for place, _, _ in places:
                self._running[place] -= 1
                if not self._running[place]:
                    del self._running[place]
