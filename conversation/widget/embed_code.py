"""The code that puts an agent's widget on a page, with what the page has to allow. Pure."""

from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit


def embed_code(
    agent_id: str, server: str, *, variables: Sequence[str] = (), is_public: bool = True
) -> str:
    """The lines of HTML for a page.

    Args:
        agent_id: Whom users talk to.
        server: Where browsers reach the server, e.g. `https://agents.example.com`.
        variables: Dynamic variables that the page has to give.
        is_public: Whether the agent needs no signed URL.
    """
    base = escape(server.rstrip("/"))
    whom = f'agent-id="{escape(agent_id)}"'
    if not is_public:
        whom += ' signed-url="SIGNED_URL"'
    values = "".join(f' {_attribute(name)}="..."' for name in variables)
    return (
        f'<script src="{base}/widget.js" async></script>\n'
        f"<vivavoce-widget {whom}{values}></vivavoce-widget>"
    )


def frame_code(agent_id: str, server: str) -> str:
    """The line of HTML for a page that shows the agent in a frame instead."""
    base = escape(server.rstrip("/"))
    return (
        f'<iframe src="{base}/embed/{escape(agent_id)}" title="{escape(agent_id)}" '
        'allow="microphone" width="400" height="600"></iframe>'
    )


def content_policy(server: str) -> str:
    """What the content security policy of a page has to allow, where the page has one."""
    base = server.rstrip("/")
    place = urlsplit(base)
    socket = f"{'wss' if place.scheme == 'https' else 'ws'}://{place.netloc}"
    origin = f"{place.scheme}://{place.netloc}"
    return f"script-src {origin}; connect-src {origin} {socket}"


def _attribute(name: str) -> str:
    """`order_id` as the widget reads it; names that no attribute can have go into `variables`."""
    return f"var-{name.replace('_', '-')}"
