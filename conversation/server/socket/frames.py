"""Frames of the conversation WebSocket, both ways: JSON objects told apart by `type`.

Clients are published and cannot be asked to change, so reading is lenient: what is unknown or
malformed becomes an `Unreadable` with a reason and the conversation goes on. Writing is strict:
one client ends its session at a frame without `type`, another hangs without audio formats.
"""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from conversation.server.incoming.plain_json import flaw_of
from conversation.server.socket.extra_frames import AgentResponseDetails, ConversationResumed
from conversation.server.socket.sound_frames import SoundFrame

PATH = "/v1/convai/conversation"
SUBPROTOCOL = "convai"
AUDIO_FORMAT = "pcm_16000"
"""Always named: a client that finds no format fails to connect, even for text."""
MAX_FRAME_CHARS = 65_536
MAX_DETAIL_CHARS = 200
END_CALL = "end_call"
"""The tool at whose response a client hangs up by itself."""


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# From the client.


class UserAudio(_Frame):
    """A piece of the user's voice. The one frame without a `type`."""

    user_audio_chunk: str


class SourceInfo(_Frame):
    """Which client it is."""

    source: str | None = None
    version: str | None = None


class InitiationData(_Frame):
    """What the client wants for this conversation; most clients send it first."""

    type: Literal["conversation_initiation_client_data"]
    conversation_config_override: dict[str, Any] | None = None
    custom_llm_extra_body: dict[str, Any] | None = None
    dynamic_variables: dict[str, Any] | None = None
    user_id: str | None = None
    source_info: SourceInfo | None = None
    extras: list[Any] | None = None
    """What this project's own client wants beside the published protocol: `details`."""
    accepted_terms: Any = None
    """Terms that the user accepted, and how many seconds ago. Of this project's own client."""
    resume_key: Any = None
    """With which this client comes back when it has lost its network."""


class SetupConfig(_Frame):
    """Sent before the initiation data by clients in their on-premises mode; nothing is taken."""

    type: Literal["enclave_setup_config"]


class Pong(_Frame):
    """Answer to a ping."""

    type: Literal["pong"]
    event_id: int | None = None


class ClientToolResult(_Frame):
    """What a tool of the client gave; some clients send text, others any JSON."""

    type: Literal["client_tool_result"]
    tool_call_id: str
    result: Any = None
    is_error: bool = False


class ContextualUpdate(_Frame):
    """Something the agent should know; it does not answer."""

    type: Literal["contextual_update"]
    text: str
    context_id: str | None = None


class UserMessage(_Frame):
    """The user's turn, typed."""

    type: Literal["user_message"]
    text: str | None = None


class UserActivity(_Frame):
    """The user types or moves."""

    type: Literal["user_activity"]


class StopAgent(_Frame):
    """The user wants the agent to stop, and says nothing. Of this project's own client."""

    type: Literal["stop_agent"]


class Feedback(_Frame):
    """What the user thinks of a turn of the agent; None takes an earlier one back."""

    type: Literal["feedback"]
    score: Literal["like", "dislike"] | None = None
    event_id: int


class ToolApproval(_Frame):
    """Whether a tool of an MCP server may run."""

    type: Literal["mcp_tool_approval_result"]
    tool_call_id: str
    is_approved: bool


class MultimodalText(_Frame):
    """The typed part of a multimodal message."""

    text: str | None = None


class MultimodalMessage(_Frame):
    """The user's turn, typed, perhaps with files."""

    type: Literal["multimodal_message"]
    text: MultimodalText | None = None
    file: dict[str, Any] | None = None
    files: list[dict[str, Any]] | None = None


TypedMessage = Annotated[
    InitiationData
    | SetupConfig
    | Pong
    | ClientToolResult
    | ContextualUpdate
    | UserMessage
    | UserActivity
    | StopAgent
    | Feedback
    | ToolApproval
    | MultimodalMessage,
    Field(discriminator="type"),
]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame that means nothing here. The conversation goes on."""

    reason: Literal["binary", "too_long", "not_json", "not_an_object", "unknown", "malformed"]
    detail: str = field(default="", compare=False)
    """Which part is wrong, and what it should be; never what it is."""


ClientMessage = TypedMessage | UserAudio | Unreadable

_typed: TypeAdapter[TypedMessage] = TypeAdapter(TypedMessage)


def read_frame(frame: str | bytes | None) -> ClientMessage:
    """What the client said; never raises."""
    if not isinstance(frame, str):
        return Unreadable("binary")
    if len(frame) > MAX_FRAME_CHARS:
        return _long_frame(frame)
    try:
        found: object = json.loads(frame)
    except (ValueError, RecursionError):
        return Unreadable("not_json")
    if not isinstance(found, dict):
        return Unreadable("not_an_object")
    if (flaw := flaw_of(frame)) is not None:
        return Unreadable("malformed", flaw)
    try:
        if "user_audio_chunk" in found:
            return UserAudio.model_validate(found)
        return _typed.validate_python(found)
    except ValidationError as error:
        tags = {"union_tag_invalid", "union_tag_not_found"}
        unknown = any(problem["type"] in tags for problem in error.errors(include_input=False))
        if not unknown:
            return Unreadable("malformed", _wrong_part(error))
        # Newer clients have other types, and always name them.
        is_named = isinstance(cast("dict[str, object]", found).get("type"), str)
        return Unreadable("unknown" if is_named else "not_an_object")


def _wrong_part(error: ValidationError) -> str:
    """The first of what is wrong, e.g. "score: Input should be 'like' or 'dislike'"."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:MAX_DETAIL_CHARS]


def _long_frame(frame: str) -> ClientMessage:
    """What a tool gave may be long, as it is cut afterwards, and so may sound; nothing else may."""
    with suppress(ValidationError):
        return UserAudio.model_validate_json(frame)
    if (flaw := flaw_of(frame)) is not None:
        return Unreadable("malformed", flaw)
    with suppress(ValidationError):
        return ClientToolResult.model_validate_json(frame)
    return Unreadable("too_long")


# To the client.


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetadataEvent(_Named):
    """What the client needs before anything else."""

    conversation_id: str
    agent_output_audio_format: str = AUDIO_FORMAT
    user_input_audio_format: str = AUDIO_FORMAT


class Metadata(_Named):
    """The first frame, and sent once: clients wait for it, and one fails at a second."""

    type: Literal["conversation_initiation_metadata"] = "conversation_initiation_metadata"
    conversation_initiation_metadata_event: MetadataEvent


class ResponsePart(_Named):
    """A piece of the agent's turn."""

    text: str
    type: Literal["start", "delta", "stop"]
    event_id: int


class AgentChatResponsePart(_Named):
    """The agent's turn as it is produced: an empty start, deltas, an empty stop."""

    type: Literal["agent_chat_response_part"] = "agent_chat_response_part"
    text_response_part: ResponsePart


class AgentResponseEvent(_Named):
    """The agent's turn."""

    agent_response: str
    event_id: int


class AgentResponse(_Named):
    """The whole turn of the agent, after its parts."""

    type: Literal["agent_response"] = "agent_response"
    agent_response_event: AgentResponseEvent


class CorrectionEvent(_Named):
    """What was generated and what of it the user got."""

    original_agent_response: str
    corrected_agent_response: str
    event_id: int


class AgentResponseCorrection(_Named):
    """The turn was cut short."""

    type: Literal["agent_response_correction"] = "agent_response_correction"
    agent_response_correction_event: CorrectionEvent


class InterruptionEvent(_Named):
    """Every later turn has a greater id."""

    event_id: int


class Interruption(_Named):
    """The agent stopped speaking because the user spoke."""

    type: Literal["interruption"] = "interruption"
    interruption_event: InterruptionEvent


class PingEvent(_Named):
    """`ping_ms` is the last round trip; the key is there also when it is not known yet."""

    event_id: int
    ping_ms: int | None


class Ping(_Named):
    """Asks the client for a pong."""

    type: Literal["ping"] = "ping"
    ping_event: PingEvent


class ClientToolCallEvent(_Named):
    """One use of a tool of the client."""

    tool_name: str
    tool_call_id: str
    parameters: dict[str, Any]
    event_id: int
    expects_response: bool = True


class ClientToolCall(_Named):
    """Asks the client to run one of its tools."""

    type: Literal["client_tool_call"] = "client_tool_call"
    client_tool_call: ClientToolCallEvent


class ToolRequestEvent(_Named):
    """Which tool."""

    tool_name: str
    tool_call_id: str
    tool_type: str
    event_id: int


class AgentToolRequest(_Named):
    """The agent uses a tool; clients show that."""

    type: Literal["agent_tool_request"] = "agent_tool_request"
    agent_tool_request: ToolRequestEvent


class ToolResponseEvent(ToolRequestEvent):
    """How it went."""

    is_error: bool
    is_called: bool = True


class AgentToolResponse(_Named):
    """The tool is done. At `end_call` a client hangs up, so that one comes last."""

    type: Literal["agent_tool_response"] = "agent_tool_response"
    agent_tool_response: ToolResponseEvent


class ErrorEvent(_Named):
    """What went wrong, for the developer of the client."""

    code: Literal[1000, 1002, 1008, 1011]
    message: str
    error_type: str
    reason: str


class Error(_Named):
    """Something could not be done; the conversation goes on unless the socket closes."""

    type: Literal["error"] = "error"
    error_event: ErrorEvent


ServerMessage = (
    Metadata
    | AgentChatResponsePart
    | AgentResponse
    | AgentResponseCorrection
    | Interruption
    | Ping
    | ClientToolCall
    | AgentToolRequest
    | AgentToolResponse
    | AgentResponseDetails
    | ConversationResumed
    | SoundFrame
    | Error
)


def error_frame(
    error_type: str, message: str, *, code: Literal[1000, 1002, 1008, 1011] = 1008
) -> Error:
    """An error for the client; `error_type` is one of the protocol's names."""
    return Error(
        error_event=ErrorEvent(code=code, message=message, error_type=error_type, reason=message)
    )
