"""A tiny web site on this machine, so that the demo can ingest a link without the internet."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

from conversation.agent.config import AgentConfig

HOST = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Drop the access log; it would stand between the demo's lines."""


@contextmanager
def served_site(folder: Path, preferred_port: int) -> Iterator[int]:
    """Serve `folder` on the loopback address while the block runs, and give the port.

    That is `preferred_port` unless something else listens there; then it is any free one.
    """
    handler = partial(_QuietHandler, directory=str(folder))
    try:
        server = ThreadingHTTPServer((HOST, preferred_port), handler)
    except OSError:
        server = ThreadingHTTPServer((HOST, 0), handler)
    thread = Thread(target=server.serve_forever, name="demo-site", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def site_port(agent: AgentConfig) -> int | None:
    """Port that the agent's first loopback link names; None when it has no such link."""
    for link in agent.knowledge_base.links:
        parts = urlsplit(link.url)
        if parts.hostname == HOST:
            return parts.port or 80
    return None


def with_site_port(agent: AgentConfig, port: int) -> AgentConfig:
    """The agent with its loopback links pointed to `port`; itself when they point there already."""
    section = agent.knowledge_base
    links = tuple(
        link.model_copy(update={"url": _on_port(link.url, port)}) for link in section.links
    )
    if links == section.links:
        return agent
    return agent.model_copy(update={"knowledge_base": section.model_copy(update={"links": links})})


def _on_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    if parts.hostname != HOST or parts.port == port:
        return url
    return urlunsplit(parts._replace(netloc=f"{HOST}:{port}"))
