"""A closed network: whoever leaves this machine fails the test."""

import socket
from typing import Any

import pytest

LOCAL = ("127.0.0.1", b"127.0.0.1", None)


@pytest.fixture
def closed_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuse every address but 127.0.0.1; returns the hosts that were asked for, as they come."""
    asked: list[str] = []

    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        def call(sock: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple):
                asked.append(str(address[0]))
                if address[0] not in LOCAL:
                    raise OSError(f"the network is closed; {address[0]!r} was connected to")
            return original(sock, address)

        return call

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host not in LOCAL:
            asked.append(str(host))
            raise OSError(f"the network is closed; {host!r} was looked up")
        return resolve(host, *rest, **named)

    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(name))
    return asked
