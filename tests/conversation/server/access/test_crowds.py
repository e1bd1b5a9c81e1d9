"""Clients that take more than there is."""

import concurrent.futures
import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from conversation.server.limits import ServerLimits
from conversation.server.serving import MAX_SOCKET_FRAME_BYTES
from tests.conversation.server.served import (
    Timer,
    serving,
    wait_until,
)
from tests.fakes import ScriptedChatModel


def test_an_oversized_frame_closes_its_own_socket_and_no_other(tmp_path: Path):
    with serving(tmp_path, model=ScriptedChatModel(always="Yes.")) as served:
        with served.dial() as other, served.dial() as client:
            other.opened()
            conversation_id = client.opened()
            client.send("a" * (MAX_SOCKET_FRAME_BYTES + 1))
            # What the server did not read makes the kernel drop its last words at times.
            assert client.closed()[0] in (1009, 1006)
            other.say("Are you there?")
            assert other.answer() == "Yes."
        wait_until(lambda: served.store.transcript(conversation_id).status == "done")


@pytest.mark.slow
def test_a_client_that_takes_nothing_is_let_go_and_disturbs_nobody(tmp_path: Path):
    long = ScriptedChatModel(always=" ".join(["word" * 5_000] * 400))
    limits = ServerLimits(send_timeout_s=0.5)
    with (
        serving(tmp_path, model=long, limits=limits) as served,
        _slow_socket(served.port) as slow,
    ):
        slow.sendall(_client_frame({"type": "user_message", "text": "Tell me all!"}))
        # It may have come and gone before this thread looks.
        wait_until(served.store.conversations)
        wait_until(lambda: served.context.gate.running == 0)
        wait_until(lambda: served.open_sockets() == 0)
        with served.dial() as other:
            other.opened()


@pytest.mark.slow
def test_a_thousand_connects_take_the_places_there_are(tmp_path: Path):
    limits = ServerLimits(
        conversations=50, conversations_per_address=None, starts_per_minute=100_000
    )
    with (
        serving(tmp_path, model=ScriptedChatModel(always="Yes."), limits=limits) as served,
        ExitStack() as held,
        concurrent.futures.ThreadPoolExecutor(16) as pool,
    ):
        inside = [held.enter_context(served.dial()) for _ in range(50)]
        for client in inside:
            client.opened()

        def refused(_number: int) -> str:
            with served.dial() as client:
                return client.closed()[1]

        reasons = set(pool.map(refused, range(950)))
        for client in inside[:5]:
            client.say("Are you there?")
            assert client.answer() == "Yes."

    assert reasons == {"The server has reached its limit of 50 conversations at a time."}
    assert served.context.gate.running == 0


def test_a_thousand_connects_of_one_address_are_slowed_down(tmp_path: Path):
    limits, timer = ServerLimits(starts_per_minute=12), Timer()
    with serving(tmp_path, limits=limits, timer_s=timer) as served:

        def outcome() -> str:
            with served.dial() as client:
                try:
                    return client.opened()[:5]
                except ConnectionClosed as error:
                    return error.rcvd.reason if error.rcvd else ""

        at_once = [outcome() for _ in range(6)]
        timer.now_s = 4.9
        too_early = outcome()
        timer.now_s = 5.1
        later = [outcome(), outcome()]

    refused = "Too many new conversations from your address; wait a moment."
    assert at_once == ["conv_", "conv_", *[refused] * 4]
    assert too_early == refused
    assert later == ["conv_", refused]


def _slow_socket(port: int) -> socket.socket:
    """A client that opens a conversation and never reads what comes."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    opened.connect(("127.0.0.1", port))
    opened.sendall(
        b"GET /v1/convai/conversation?agent_id=support HTTP/1.1\r\nHost: x\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert opened.recv(12) == b"HTTP/1.1 101"
    opened.sendall(_client_frame({"type": "conversation_initiation_client_data"}))
    return opened


def _client_frame(content: dict[str, Any]) -> bytes:
    """A masked text frame of less than 126 bytes; the mask is all zeros."""
    payload = json.dumps(content).encode()
    return bytes([0x81, 0x80 | len(payload)]) + b"\x00" * 4 + payload
