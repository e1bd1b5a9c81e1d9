"""Connections on which no request comes: each would be held open by a client that sends nothing."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

MAX_HEAD_BYTES = 65_536
"""Request line and headers of one request."""

_Protocol = cast(Any, AutoHTTPProtocol)


class BoundedHeads(_Protocol):
    """The protocol of uvicorn, which alone waits for a request for ever and of any length."""

    head_timeout_s = 20.0
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait."""
        _Protocol.connection_made(self, transport)
        self._begin_to_wait()

    def data_received(self, data: bytes) -> None:
        """Wait on, or be content."""
        if not self._is_answering():
            self._begin_to_wait()
            self._head_bytes += len(data)
        _Protocol.data_received(self, data)
        if self._is_answering():
            self._stop_waiting()
        elif self._head_bytes > MAX_HEAD_BYTES:
            self._hang_up()

    def handle_websocket_upgrade(self, *args: Any) -> None:
        """Leave the connection to the socket."""
        self._stop_waiting()
        _Protocol.handle_websocket_upgrade(self, *args)

    def on_response_complete(self) -> None:
        """Count the next request from its own first byte."""
        self._stop_waiting()
        _Protocol.on_response_complete(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        _Protocol.connection_lost(self, exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _begin_to_wait(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self.head_timeout_s, self._hang_up)

    def _stop_waiting(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _hang_up(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.abort()


def bounded_heads(timeout_s: float) -> type[asyncio.Protocol]:
    """The protocol for a server whose requests come whole within `timeout_s`.

    The time runs from the connection, or from the first byte of a later request on it; uvicorn
    itself ends connections that are idle between two requests.
    """
    bounded = type("BoundedHeads", (BoundedHeads,), {"head_timeout_s": timeout_s})
    return cast(type[asyncio.Protocol], bounded)
