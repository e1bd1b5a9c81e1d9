"""Runs the app with uvicorn, and stops it so that turns under way are finished."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from conversation.server.context import ServerContext
from conversation.server.errors import PortTakenError
from conversation.server.incoming.request_heads import bounded_heads

MAX_SOCKET_FRAME_BYTES = 1_048_576
"""What is longer is not even read: the socket closes with 1009. Eight seconds of the widest sound
fit in, for clients that collect a few before they send."""
KEEP_ALIVE_S = 20.0


class ConversationServer(uvicorn.Server):
    """A server that lets turns finish before it closes the sockets."""

    def __init__(self, config: uvicorn.Config, context: ServerContext) -> None:
        super().__init__(config)
        self._context = context
        context.hang_up = self._hang_up
        self._tell: Callable[[str], object] = lambda _address: None

    def when_listening(self, tell: Callable[[str], object]) -> None:
        """Have `tell` called with the address once clients can connect."""
        self._tell = tell

    @property
    def port(self) -> int:
        """Where it really listens; known once it does."""
        return self.servers[0].sockets[0].getsockname()[1]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started:
            self._tell(f"http://{self.config.host}:{self.port}")

    def _hang_up(self, connection: HTTPConnection) -> None:
        """Drop a connection at once: closing it would wait for a client that takes nothing."""
        peer = connection.client
        for each in list(self.server_state.connections):
            transport = each.transport
            name = transport.get_extra_info("peername")
            if peer is not None and name is not None and name[:2] == (peer.host, peer.port):
                transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, finish what is being said, close every conversation."""
        for server in self.servers:
            server.close()
        self._context.stopping = True
        for talk in list(self._context.talks):
            talk.stop()
        until_s = time.monotonic() + self._context.limits.drain_timeout_s
        while self._context.talks and time.monotonic() < until_s and not self.force_exit:
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


def make_server(
    app: FastAPI,
    context: ServerContext,
    *,
    host: str,
    port: int,
    trusted_proxies: str = "127.0.0.1",
) -> ConversationServer:
    """A server that is ready to run.

    Args:
        app: As `make_app` gave it.
        context: The same one.
        host: Address to listen on.
        port: 0 takes a free one.
        trusted_proxies: Addresses whose `X-Forwarded-For` is believed, separated by commas.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        # uvicorn would log whole addresses, and those hold signatures.
        access_log=False,
        log_config=None,
        http=bounded_heads(context.limits.head_timeout_s),
        server_header=False,
        ws_max_size=MAX_SOCKET_FRAME_BYTES,
        ws_ping_interval=KEEP_ALIVE_S,
        ws_ping_timeout=KEEP_ALIVE_S,
        # Small frames do not shrink, and a compressor takes memory in every connection.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=10,
        forwarded_allow_ips=trusted_proxies,
    )
    return ConversationServer(config, context)


def run_until_signalled(server: ConversationServer) -> None:
    """Serve until Ctrl-C or SIGTERM, and return when everything is closed.

    uvicorn raises the signal again at its end, which would kill the process before its stores are
    closed; so at that moment nothing listens to it.
    """
    before = {
        number: signal.signal(number, lambda _number, _frame: None)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        server.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def require_free_port(host: str, port: int) -> None:
    """Raise `PortTakenError` when nothing could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do, so that a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"Nothing can listen on {host}:{port}: {error.strerror}. Stop what listens there, "
                "or give another one with `--host` and `--port`."
            ) from error
