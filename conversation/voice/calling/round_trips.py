"""How evenly a client is reached, from the answers to its pings. Pure."""

_KEPT = 8
_WIDEST_S = 0.5
_FACTOR = 2.0
"""A client whose queue runs dry says that the agent is silent; twice the jitter keeps it filled."""


class RoundTrips:
    """The last round trips of one client."""

    def __init__(self) -> None:
        self._took_ms: list[float] = []

    def took(self, round_trip_ms: float) -> None:
        """Another one."""
        self._took_ms = [*self._took_ms, max(0.0, round_trip_ms)][-_KEPT:]

    @property
    def jitter_s(self) -> float:
        """How much earlier sound should be sent: twice the mean change between two trips."""
        changes = [abs(b - a) for a, b in zip(self._took_ms, self._took_ms[1:], strict=False)]
        mean_ms = sum(changes) / len(changes) if changes else 0.0
        return min(_WIDEST_S, _FACTOR * mean_ms / 1_000)
