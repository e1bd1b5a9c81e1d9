"""An agent in conversation with a user that a model plays, held now and judged at once."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.variables import VariableValue
from conversation.errors import AgentConfigError, ModelError, OverrideError, ToolError
from conversation.server.access.admission import require
from conversation.server.agents.model_names import model_string
from conversation.server.context import Context, ServerContext
from conversation.server.conversations.detail import conversation_detail
from conversation.server.ended.bodies import CallAnalysis, TranscriptItem
from conversation.server.errors import ApiError, not_supported
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.session.overrides import SessionOverrides, overridden
from conversation.session.simulating import ModelUser, Persona, simulate
from conversation.transcript import ToolCall, Turn
from conversation.turn.speaker import ResolvedAgent

router = APIRouter(prefix="/v1/convai/agents", tags=["agents"])

MayConverse = Annotated[ApiKey, Depends(require("converse"))]
DEFAULT_TURNS = 10
MAX_TURNS = 50


class PlayedPrompt(Body):
    """Who the user is, in words, and which model plays them."""

    prompt: str = Field(default="", max_length=10_000)
    llm: str | None = None
    """Model string: the agent's own or one of its `overrides.llm`; None takes the agent's."""


class PlayedUser(Body):
    """The user that a model plays."""

    prompt: PlayedPrompt = PlayedPrompt()
    first_message: str = Field(default="", max_length=2_000)
    """What the user says first; empty lets the model begin."""
    language: str | None = None


class ToolMock(Body):
    """What a tool answers in place of being used."""

    default_return_value: str = ""
    default_is_error: bool = False


class Simulation(Body):
    """What is simulated."""

    simulated_user_config: PlayedUser
    tool_mock_config: dict[str, ToolMock] = Field(default={})
    dynamic_variables: dict[str, VariableValue] = Field(default={})
    partial_conversation_history: list[Any] = Field(default=[])


class WantedSimulation(Body):
    """A conversation to hold."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "simulation_specification": {
                        "simulated_user_config": {
                            "prompt": {"prompt": "An impatient customer who wants a refund."},
                            "first_message": "Where is my money?",
                        }
                    },
                    "new_turns_limit": 6,
                }
            ]
        }
    )

    simulation_specification: Simulation
    extra_evaluation_criteria: list[Any] = Field(default=[])
    new_turns_limit: int | None = Field(default=None, ge=1)
    """Of the user; more than fifty are cut to that."""


class SimulatedConversation(BaseModel):
    """What was said, and what the judges found."""

    simulated_conversation: list[TranscriptItem]
    analysis: CallAnalysis
    conversation_id: str


@router.post("/{agent_id}/simulate-conversation", operation_id="simulate_conversation")
def simulate_conversation(
    agent_id: str, body: WantedSimulation, context: Context, _key: MayConverse
) -> SimulatedConversation:
    """Hold a conversation and have it judged by the agent's criteria, which takes a while.

    It is kept among the agent's conversations and marked, so that no report counts it.
    """
    _refuse_unserved(body)
    return _held(agent_id, body, context)


@router.post("/{agent_id}/simulate-conversation/stream", operation_id="simulate_and_stream")
def simulate_and_stream(
    agent_id: str, body: WantedSimulation, context: Context, _key: MayConverse
) -> StreamingResponse:
    """The same as server-sent events: one as soon as it is over, or one that says what failed."""
    _refuse_unserved(body)
    context.agents.agent(agent_id)

    def events() -> Iterator[str]:
        yield ": the conversation is being held\n\n"
        try:
            answer = _held(agent_id, body, context).model_dump(mode="json")
        except ApiError as error:
            answer = {"detail": {"status": error.status, "message": error.message}}
        yield f"data: {json.dumps(answer)}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


class OpeningUser(ModelUser):
    """A played user whose first words are given."""

    def __init__(self, first_message: str, *args: Any) -> None:
        super().__init__(*args)
        self._first_message = first_message

    def __call__(self, turns: Sequence[Turn]) -> str | None:
        """The given words, then those of the model."""
        if self._first_message and not any(turn.role == "user" for turn in turns):
            return self._first_message
        return super().__call__(turns)


def _held(agent_id: str, body: WantedSimulation, context: ServerContext) -> SimulatedConversation:
    if not context.simulations.acquire(blocking=False):
        raise ApiError(
            429,
            "too_many_simulations",
            f"{context.limits.simulations} conversations are being simulated; try again later.",
            headers={"Retry-After": "10"},
        )
    try:
        return _simulated(agent_id, body, context)
    finally:
        context.simulations.release()


def _simulated(
    agent_id: str, body: WantedSimulation, context: ServerContext
) -> SimulatedConversation:
    asked = body.simulation_specification
    played = asked.simulated_user_config
    agent = _with_mocks(context.agents.agent(agent_id), asked.tool_mock_config)
    llm = _playing(agent, played.prompt.llm)
    persona = Persona(_who(played))
    try:
        transcript = simulate(
            agent,
            persona.persona,
            max_turns=min(body.new_turns_limit or DEFAULT_TURNS, MAX_TURNS),
            user=OpeningUser(played.first_message, context.agents.chat_model(llm), persona),
            knowledge_base=context.agents.knowledge_base(agent),
            store=context.store,
            chat_model=context.agents.chat_model(agent.llm),
            variables=asked.dynamic_variables,
            metadata={"channel": "api"},
            secrets=context.secrets,
            client_tool=partial(_mocked, asked.tool_mock_config),
            resolve_agent=partial(_resolve, context),
            clock=context.clock,
        )
        if context.calls.wants_analysis(agent_id):
            context.calls.analyse(transcript.conversation_id)
    except ModelError as error:
        raise ApiError(502, "llm_failed", f"A model could not be asked: {error}") from error
    except AgentConfigError as error:
        raise ApiError(422, "cannot_simulate", str(error)) from error
    detail = conversation_detail(context, transcript.conversation_id)
    return SimulatedConversation(
        simulated_conversation=detail.transcript,
        analysis=detail.analysis or CallAnalysis(call_successful="unknown"),
        conversation_id=transcript.conversation_id,
    )


def _playing(agent: AgentConfig, name: str | None) -> LLMConfig:
    """The model that plays the user: the agent's, or one that the agent lets a session choose.

    Any other would let a key that may only talk send requests to an address of its choice.
    """
    if not name:
        return agent.llm
    try:
        return overridden(agent, SessionOverrides(llm=model_string(name))).llm
    except OverrideError as error:
        raise ApiError(422, "llm_not_allowed", str(error)) from error


def _who(played: PlayedUser) -> str:
    said = played.prompt.prompt.strip() or "A person who asks for help."
    return f"{said} You speak {played.language!r}." if played.language else said


def _with_mocks(agent: AgentConfig, mocks: Mapping[str, ToolMock]) -> AgentConfig:
    """Webhooks with a mock become tools of the application, which is the mock."""
    tools = tuple(
        tool.model_copy(update={"webhook": None}) if tool.name in mocks else tool
        for tool in agent.tools
    )
    return agent.model_copy(update={"tools": tools})


def _mocked(mocks: Mapping[str, ToolMock], call: ToolCall) -> str:
    mock = mocks.get(call.tool_name)
    if mock is None:
        raise ToolError("nobody does it in a simulation without a mock")
    if mock.default_is_error:
        raise ToolError(mock.default_return_value or "it failed")
    return mock.default_return_value


def _resolve(context: ServerContext, agent_id: str) -> ResolvedAgent:
    agent = context.agents.agent(agent_id)
    model = context.agents.chat_model(agent.llm)
    return ResolvedAgent(agent, context.agents.knowledge_base(agent), model)


def _refuse_unserved(body: WantedSimulation) -> None:
    if body.extra_evaluation_criteria:
        raise not_supported(
            "Criteria belong to the agent: add them there, they are judged. Leave out "
            "`extra_evaluation_criteria`.",
        )
    if body.simulation_specification.partial_conversation_history:
        raise not_supported(
            "`partial_conversation_history`: simulated conversations begin at their beginning."
        )
