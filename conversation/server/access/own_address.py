"""Where this server is, as far as it knows that itself: a request may name any host.

A proxy, a cache or a page that was rebound may let one client write the `Host` of what another
one reads; an address that carries a signature must not be made from it.
"""

import re
from ipaddress import ip_address

from starlette.requests import HTTPConnection

from conversation.server.context import ServerContext
from conversation.server.errors import ApiError

_HOST = re.compile(r"([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.I)
_MAX_PORT = 65_535
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def own_base_url(connection: HTTPConnection, context: ServerContext) -> str | None:
    """Where clients reach this server; None where only the request says so.

    That is `public_url`, or without one what the request names, if it is the address that the
    request came in at, or this machine by a name that nobody can point elsewhere: from this
    machine with any port, as a tunnel has one of its own, from others with the server's.
    """
    if context.public_url is not None:
        return context.public_url.rstrip("/")
    scheme = connection.url.scheme
    host = host_named(connection)
    match = None if host is None else _HOST.fullmatch(host)
    if match is None or scheme not in _PORTS:
        return None
    name, port = match[1].strip("[]").lower(), int(match[2] or _PORTS[scheme])
    reached: tuple[str, int | None] = connection.scope.get("server") or ("", None)
    here = (name, port) == reached
    near = _is_loopback(name) and (port == reached[1] or _asked_from_here(connection))
    return f"{scheme}://{host}" if here or near else None


def require_base_url(connection: HTTPConnection, context: ServerContext) -> str:
    """The same; raises `ApiError` where only the request says it."""
    found = own_base_url(connection, context)
    if found is None:
        raise ApiError(
            421,
            "unknown_host",
            "This server does not know the name that it was reached by, and makes no address from "
            "it. Start it with `--public-url`, which says where clients reach it.",
        )
    return found


def host_named(connection: HTTPConnection) -> str | None:
    """Host and port that the request names; None for what is neither a name nor an address."""
    host = connection.headers.get("host", "")
    match = _HOST.fullmatch(host) if len(host) <= 260 else None
    return None if match is None or int(match[2] or 1) not in range(1, _MAX_PORT + 1) else host


def _asked_from_here(connection: HTTPConnection) -> bool:
    """Whether the request comes from this machine; over a socket in a file it always does."""
    return connection.client is None or _is_loopback(connection.client.host)


def _is_loopback(host: str) -> bool:
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
