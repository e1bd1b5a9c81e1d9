"""Pages for people: what is running, and a plain text conversation with an agent.

No page asks anything of another host. Agents that are not public are not named here.
"""

from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from conversation.agent.config import AgentConfig
from conversation.server.context import Context
from conversation.server.errors import ApiError, NoSuchAgentError
from conversation.server.socket.frames import PATH

router = APIRouter(include_in_schema=False)

SDK_FILE = "sdk.js"
_PAGE = files("conversation.server.pages")
_TYPES = {
    "page.css": "text/css",
    "talk.js": "text/javascript",
    "client.js": "text/javascript",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src data:",
        # Not every browser takes 'self' for WebSockets of the same host.
        "connect-src 'self' {socket}",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


@router.get("/")
def index(request: Request, context: Context) -> HTMLResponse:
    """What is running, and links."""
    public = [agent for agent in context.agents.agents() if agent.access.public]
    socket = _socket_origin(request) + PATH
    return _page("index.html", request, agents=_agent_list(public), socket=escape(socket))


@router.get("/talk/{agent_id}")
def talk(agent_id: str, request: Request, context: Context) -> HTMLResponse:
    """A conversation with one agent, by text."""
    agent = _agent_or_none(agent_id, context)
    is_public = agent is not None and agent.access.public
    # An agent that is not public looks like one that does not exist until a key is given.
    name = agent.name if agent is not None and is_public else agent_id
    has_sdk = _sdk(context) is not None
    return _page(
        "talk.html",
        request,
        name=escape(name),
        agent_id=escape(agent_id),
        is_public=str(is_public).lower(),
        sdk=f'<script src="../page/{SDK_FILE}"></script>' if has_sdk else "",
    )


@router.get("/page/{name}")
def page_file(name: str, context: Context) -> Response:
    """Style and scripts of the pages."""
    sdk = _sdk(context)
    if name == SDK_FILE and sdk is not None:
        return FileResponse(sdk, media_type="text/javascript")
    if name not in _TYPES:
        raise ApiError(404, "not_found", "There is no such file.")
    content = (_PAGE / name).read_bytes()
    return Response(content, media_type=_TYPES[name], headers={"cache-control": "no-cache"})


def _agent_or_none(agent_id: str, context: Context) -> AgentConfig | None:
    try:
        return context.agents.agent(agent_id)
    except NoSuchAgentError:
        return None


def _agent_list(public: list[AgentConfig]) -> str:
    if not public:
        return (
            '<p class="soft">None. Others need a key or a signed URL; <code>access: {public: true}'
            "</code> in an agent file opens one.</p>"
        )
    items = "".join(
        f'<li><a href="talk/{escape(agent.agent_id)}">{escape(agent.name)}</a></li>'
        for agent in public
    )
    return f'<ul class="plain">{items}</ul>'


def _page(file_name: str, request: Request, **values: str) -> HTMLResponse:
    template = Template((_PAGE / file_name).read_text("utf-8"))
    policy = _POLICY.format(socket=_socket_origin(request))
    return HTMLResponse(template.substitute(values), headers={"content-security-policy": policy})


def _socket_origin(request: Request) -> str:
    scheme = "wss" if request.url.scheme == "https" else "ws"
    return f"{scheme}://{request.url.netloc}"


def _sdk(context: Context) -> Path | None:
    """The published SDK as a script, where somebody has put it."""
    found = context.sdk_script
    return found if found is not None and found.is_file() else None
