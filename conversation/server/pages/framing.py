"""What a page of this server may load, and which pages may show it in a frame. Pure."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from conversation.agent.config import AgentConfig
from conversation.server.access.own_address import host_named


def page_policy(connection: HTTPConnection, agent: AgentConfig | None, *, framed_by: str) -> str:
    """The content security policy of a page.

    Args:
        connection: Tells where the server is.
        agent: Whose picture may lie on another host; None for no agent.
        framed_by: Pages that may show this one in a frame.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' data:", *_picture_host(agent))),
            # Not every browser takes 'self' for WebSockets of the same host.
            " ".join(("connect-src 'self'", *_sockets(connection))),
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {framed_by}",
        )
    )


def frame_ancestors(agent: AgentConfig | None) -> str:
    """Who may show the agent in a frame: this server's own pages, and its allowed origins."""
    if agent is None:
        return "'none'"
    return " ".join(("'self'", *(place for each in agent.allowed_origins for place in _own(each))))


def _sockets(connection: HTTPConnection) -> tuple[str, ...]:
    """Where the page's own server holds WebSockets."""
    scheme = "wss" if connection.url.scheme in ("https", "wss") else "ws"
    host = host_named(connection)
    return () if host is None else (f"{scheme}://{host}",)


def _own(origin: str) -> tuple[str, ...]:
    """An allowed host without a port stands for every port of it, as it does for sockets."""
    scheme, separator, bare = origin.rstrip("/").rpartition("://")
    host = bare.lower()
    if any(letter in host for letter in " ;,'\"\\/"):
        return ()
    with_port = (
        host if host.rpartition(":")[2].isdigit() and not host.endswith("]") else f"{host}:*"
    )
    schemes = (scheme.lower(),) if separator else ("https", "http")
    return tuple(f"{each}://{with_port}" for each in schemes)


def _picture_host(agent: AgentConfig | None) -> tuple[str, ...]:
    avatar = None if agent is None else agent.widget.avatar
    place = urlsplit(avatar or "")
    return (f"https://{place.netloc}",) if place.scheme == "https" else ()
