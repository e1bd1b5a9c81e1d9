"""How an agent reaches people: its link, and what the embeddable widget asks for."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request

from conversation.agent.agent_file import merge_keys
from conversation.agent.config import AgentConfig
from conversation.server.access.admission import may_look, require
from conversation.server.agents.agent_wire import part
from conversation.server.agents.bodies import AgentLink, AgentWidget, ShareToken
from conversation.server.context import Context, ServerContext
from conversation.server.errors import NOT_SUPPORTED, ApiError
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.signing import VALID_S, Grant, sign
from conversation.server.parameters import ANY_PARAMETER

router = APIRouter(prefix="/v1/convai/agents", tags=["agents"])

MayConverse = Annotated[ApiKey, Depends(require("converse", "read"))]
_WIDGET: dict[str, Any] = {
    "variant": "full",
    "placement": "bottom-right",
    "expandable": "never",
    "avatar": {"type": "orb", "color_1": "#2792dc", "color_2": "#9ce6e6"},
    "feedback_mode": "none",
    "end_feedback": None,
    "show_avatar_when_collapsed": False,
    "disable_banner": True,
    "mic_muting_enabled": False,
    "transcript_enabled": True,
    "text_input_enabled": True,
    "default_expanded": False,
    "always_expanded": False,
    "text_contents": {},
    "terms_text": None,
    "terms_html": None,
    "terms_key": None,
}


@router.get("/{agent_id}/link", operation_id="get_agent_link")
def get_link(agent_id: str, context: Context, _key: MayConverse) -> AgentLink:
    """How to share an agent: one that is not public with a token of fifteen minutes."""
    agent = context.agents.agent(agent_id)
    if agent.access.public:
        return AgentLink(agent_id=agent_id)
    expires_at_s = int((context.clock() + timedelta(seconds=VALID_S)).timestamp())
    grant = Grant(agent_id=agent_id, expires_at_s=expires_at_s, signature_id=uuid4().hex)
    return AgentLink(
        agent_id=agent_id,
        token=ShareToken(
            agent_id=agent_id,
            conversation_token=sign(grant, secret=context.secret),
            expiration_time_unix_secs=expires_at_s,
        ),
    )


@router.get("/{agent_id}/widget", operation_id="get_agent_widget")
def get_widget(
    agent_id: str,
    request: Request,
    context: Context,
    conversation_signature: Annotated[str | None, Query(max_length=1_024)] = None,
) -> AgentWidget:
    """What the widget shows. Open to whoever may talk to the agent, without a key."""
    agent = may_look(request, agent_id, context=context, signature=conversation_signature)
    return AgentWidget(agent_id=agent_id, widget_config=_config(agent, context))


rooms = APIRouter(prefix="/v1/convai/conversation", tags=["conversations"])


@rooms.get(
    "/token",
    operation_id="get_conversation_token",
    status_code=NOT_SUPPORTED,
    openapi_extra={ANY_PARAMETER: True},
)
def get_token() -> None:
    """There are no rooms of WebRTC here; clients show the message, which says what to do.

    No other answer would help: published clients take a token to the rooms of their own maker
    unless the page names others, and none of them falls back by itself.
    """
    raise ApiError(
        NOT_SUPPORTED,
        "webrtc_not_supported",
        "This server offers no WebRTC and talks over WebSocket, by voice as well: start the "
        "session with connectionType 'websocket' beside the agentId, or with a signedUrl.",
    )


def _config(agent: AgentConfig, context: ServerContext) -> dict[str, Any]:
    """What the agent's maker set of it, and what is so."""
    ours: dict[str, Any] = {
        "language": agent.language,
        "supported_language_overrides": (
            sorted(agent.languages) if agent.overrides.language else None
        ),
        "language_presets": {
            code: {"first_message": texts.first_message} for code, texts in agent.languages.items()
        },
        # The widget drops the first words that come, when this says that there will be some.
        "first_message": agent.first_message or None,
        # As it is at this moment: a widget that is told of a voice waits for it.
        "text_only": not context.has_voice_for(agent),
        "supports_text_only": True,
        "use_rtc": False,
        "file_input_config": {"enabled": agent.access.files > 0},
    }
    sent: dict[str, Any] = {}
    if context.authoring is not None:
        record = context.authoring.records.get(agent.agent_id)
        sent = part(part(record.sent or {}, "platform_settings"), "widget")
    return merge_keys(merge_keys(_WIDGET, sent), ours)
