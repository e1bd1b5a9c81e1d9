"""Pages for people: what is running, and a conversation with an agent, alone or in a frame.

No page asks anything of another host, but for the picture of an agent that has one elsewhere.
Agents that are not public are not named here.
"""

import json
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from conversation.agent.config import AgentConfig
from conversation.errors import ConversationError
from conversation.server.access.own_address import own_base_url
from conversation.server.context import Context, ServerContext
from conversation.server.errors import ApiError
from conversation.server.pages.client_config import client_config
from conversation.server.pages.framing import frame_ancestors, page_policy
from conversation.server.pages.scripts import WORKLET, Script, page_script, style, worklet
from conversation.server.socket.frames import PATH

router = APIRouter(include_in_schema=False)

SDK_FILE = "sdk.js"
_PAGE = files("conversation.server.pages")
_FILES = {"look.css": style, "talk.js": page_script, WORKLET: worklet}


@router.get("/")
def index(request: Request, context: Context) -> HTMLResponse:
    """What is running, and links."""
    public = [agent for agent in context.agents.agents() if agent.access.public]
    # Shown as it is opened by the pages: from where they are.
    base_url = own_base_url(request, context) or ""
    socket = base_url.replace("http", "ws", 1) + PATH
    return _page("index.html", request, agents=_agent_list(public), socket=escape(socket))


@router.get("/talk/{agent_id}")
def talk(agent_id: str, request: Request, context: Context) -> HTMLResponse:
    """A conversation with one agent, by voice and text."""
    return _talk_page(agent_id, request, context, kind="page")


@router.get("/embed/{agent_id}")
def embed(agent_id: str, request: Request, context: Context) -> HTMLResponse:
    """The same for a frame on a page of the agent's allowed origins, and of no other."""
    return _talk_page(agent_id, request, context, kind="frame")


@router.get("/page/{name}")
def page_file(name: str, request: Request, context: Context) -> Response:
    """Style and scripts of the pages."""
    sdk = _sdk(context)
    if name == SDK_FILE and sdk is not None:
        return FileResponse(sdk, media_type="text/javascript")
    if name not in _FILES:
        raise ApiError(404, "not_found", "There is no such file.")
    return script_answer(_FILES[name](), request)


def script_answer(script: Script, request: Request) -> Response:
    """A script or a style, compressed where the browser takes that, and asked for again in vain."""
    headers = {"cache-control": "no-cache", "etag": script.tag, "vary": "accept-encoding"}
    if script.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = script.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = script.compressed
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=script.media_type, headers=headers)


def _talk_page(
    agent_id: str, request: Request, context: ServerContext, *, kind: str
) -> HTMLResponse:
    agent = _public_agent(agent_id, context)
    # An agent that is not public looks like one that does not exist until a key is given.
    name = agent_id if agent is None else agent.widget.name or agent.name
    look = None if agent is None else client_config(agent, has_voice=context.has_voice_for(agent))
    has_sdk = _sdk(context) is not None
    return _page(
        "talk.html",
        request,
        agent=agent,
        framed_by=frame_ancestors(agent) if kind == "frame" else "'none'",
        language=escape(agent.language if agent else "en"),
        kind=kind,
        name=escape(name),
        agent_id=escape(agent_id),
        look=_in_page(look),
        sdk=f'<script src="../page/{SDK_FILE}" defer></script>' if has_sdk else "",
    )


def _public_agent(agent_id: str, context: ServerContext) -> AgentConfig | None:
    try:
        agent = context.agents.agent(agent_id)
    except ConversationError:
        return None
    return agent if agent.access.public else None


def _in_page(value: object) -> str:
    """JSON that nothing inside of it can end."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


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


def _page(
    file_name: str,
    request: Request,
    *,
    agent: AgentConfig | None = None,
    framed_by: str = "'none'",
    **values: str,
) -> HTMLResponse:
    template = Template((_PAGE / file_name).read_text("utf-8"))
    headers = {
        "content-security-policy": page_policy(request, agent, framed_by=framed_by),
        "permissions-policy": "microphone=(self), camera=(), geolocation=()",
        "cache-control": "no-cache",
    }
    return HTMLResponse(template.substitute(values), headers=headers)


def _sdk(context: ServerContext) -> Path | None:
    """The published SDK as a script, where somebody has put it."""
    found = context.sdk_script
    return found if found is not None and found.is_file() else None
