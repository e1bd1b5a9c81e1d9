"""The conversation WebSocket: lets a client in, starts its session, and tells it why not.

Whatever refuses a client is said by closing the socket after accepting it: browsers lose the
reason of a handshake that fails.
"""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from fastapi import APIRouter
from starlette.websockets import WebSocket

from conversation.agent.config import AgentConfig
from conversation.errors import (
    ConversationError,
    MissingVariableError,
    OverrideError,
    VariableValueError,
)
from conversation.server.access.admission import Admission, admit, refuse_missing
from conversation.server.context import ServerContext, address_of, server_context
from conversation.server.errors import (
    GOING_AWAY,
    INTERNAL,
    MISCONFIGURED,
    POLICY,
    NoSuchAgentError,
    RefusedError,
)
from conversation.server.incoming.plain_json import holds_nul
from conversation.server.socket.accepted_terms import KIND, AcceptedTerms
from conversation.server.socket.client_tools import ClientTools
from conversation.server.socket.frame_meaning import (
    Dialogue,
    Extras,
)
from conversation.server.socket.frames import (
    MAX_FRAME_CHARS,
    PATH,
    SUBPROTOCOL,
    InitiationData,
    SetupConfig,
    Unreadable,
    read_frame,
)
from conversation.server.socket.initiation import Wishes, session_overrides, wishes
from conversation.server.socket.resuming import OpenTalk
from conversation.server.socket.talk import ClientGoneError, Ending, Wire
from conversation.server.talks.holding import MAX_EARLY_FRAMES, Admitted, hold
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.turn.speaker import ResolvedAgent
from kb.errors import KnowledgeBaseError

_INITIATION = "conversation_initiation_client_data"
_MISCONFIGURED = "The AI agent you are trying to reach appears to be misconfigured."

router = APIRouter()
_log = logging.getLogger(__name__)


@router.websocket(PATH)
async def conversation(websocket: WebSocket) -> None:
    """Hold one conversation with the agent `agent_id`."""
    context = server_context(websocket)
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    wire = Wire(websocket, context.limits)
    async with AsyncExitStack() as afterwards:
        try:
            ending = await _converse(websocket, wire, context, offered, afterwards)
        except RefusedError as refused:
            _log.info("conversation refused (%d) from %s", refused.code, address_of(websocket))
            ending = Ending("refused", refused.code, refused.reason)
        except ClientGoneError:
            ending = Ending("connection_lost", None)
        if ending.code is not None:
            await wire.close(ending.code, ending.text)
        elif wire.is_stuck:
            context.hang_up(websocket)


async def _converse(
    websocket: WebSocket,
    wire: Wire,
    context: ServerContext,
    offered: Sequence[str],
    afterwards: AsyncExitStack,
) -> Ending:
    address = address_of(websocket)
    if context.stopping:
        raise RefusedError(GOING_AWAY, "The server is stopping; please reconnect.")
    if holds_nul(websocket.scope):
        raise RefusedError(POLICY, "The address holds the character NUL.")
    if context.starts.wait_s(address, now_s=context.timer_s()) is not None:
        raise RefusedError(POLICY, "Too many new conversations from your address; wait a moment.")
    agent, admission = await asyncio.to_thread(_let_in, websocket, context, offered)
    with context.gate.entered(agent_id=agent.agent_id, address=address, key_id=admission.key_id):
        data, early = await _initiation(wire, context.limits.init_timeout_s)
        asked = _wishes(data, websocket)
        wire.only = asked.events
        if asked.resume_id is None:
            opened = await _begun(agent, asked, admission, context)
        else:
            opened = await context.resumptions.take(
                asked.resume_id, asked.resume_key, agent_id=agent.agent_id
            )
        extras = Extras(details=asked.details, sources=agent.widget.sources)
        admitted = Admitted(wire, opened, asked, extras, early)
        return await hold(admitted, context, afterwards)


def _wishes(data: InitiationData | None, websocket: WebSocket) -> Wishes:
    try:
        return wishes(data, websocket.query_params)
    except OverrideError as error:
        raise RefusedError(POLICY, f"override_error: {error}") from error
    except VariableValueError as error:
        raise RefusedError(POLICY, f"invalid_dynamic_variable: {error}") from error


async def _begun(
    agent: AgentConfig, asked: Wishes, admission: Admission, context: ServerContext
) -> OpenTalk:
    """A new conversation."""
    tools = ClientTools()
    start = partial(_start, agent, asked, admission, tools=tools, context=context)
    session = await asyncio.to_thread(start)
    if asked.terms is not None:
        await asyncio.to_thread(_keep_terms, session, asked.terms, context)
    driver = SessionDriver(session, clock=context.timer_s)
    return OpenTalk(agent.agent_id, driver, Dialogue(), tools, asked.resume_key)


def _keep_terms(session: Session, terms: AcceptedTerms, context: ServerContext) -> None:
    kept = session.transcript.metadata
    payload = terms.payload(kept, current=session.agent.widget.terms)
    context.store.add_event(session.conversation_id, KIND, at=context.clock(), payload=payload)


async def _initiation(
    wire: Wire, timeout_s: float
) -> tuple[InitiationData | None, list[str | bytes | None]]:
    """The client's first words to the server, and the frames that came before them.

    Raises:
        RefusedError: They cannot be read; says which part.
    """
    early: list[str | bytes | None] = []
    try:
        async with asyncio.timeout(timeout_s):
            while len(early) < MAX_EARLY_FRAMES:
                frame = await wire.receive()
                message = read_frame(frame)
                if isinstance(message, InitiationData):
                    return message, early
                if isinstance(message, Unreadable) and f'"{_INITIATION}"' in str(frame):
                    # Held without it, it would be another conversation than was asked for.
                    raise _not_begun(message)
                if not isinstance(message, SetupConfig):
                    early.append(frame)
    except TimeoutError:
        # Clients of the first generation send nothing.
        pass
    return None, early


def _not_begun(read: Unreadable) -> RefusedError:
    if read.reason == "too_long":
        said = f"it is longer than {MAX_FRAME_CHARS:,} characters"
    else:
        said = read.detail.removeprefix(f"{_INITIATION}.") or read.reason
    return RefusedError(POLICY, f"invalid_initiation: {said}")


def _let_in(
    websocket: WebSocket, context: ServerContext, offered: Sequence[str]
) -> tuple[AgentConfig, Admission]:
    """The agent, and why the client may talk to it.

    In one step for every agent, so that the time it takes tells nobody which ones there are.
    """
    agent_id = websocket.query_params.get("agent_id", "")
    refuse = partial(refuse_missing, websocket, agent_id, context=context, subprotocols=offered)
    try:
        agent = context.agents.agent(agent_id)
    except NoSuchAgentError as error:
        raise refuse() from error
    except ConversationError as error:
        raise refuse(broken=RefusedError(MISCONFIGURED, _MISCONFIGURED)) from error
    return agent, admit(websocket, agent, context=context, subprotocols=offered)


def _start(
    agent: AgentConfig,
    asked: Wishes,
    admission: Admission,
    *,
    tools: ClientTools,
    context: ServerContext,
) -> Session:
    """Start the session; everything that a client may be told is a `RefusedError`."""
    metadata = {**asked.metadata, "authorization_method": admission.method}
    if asked.text_only:
        metadata["text_only"] = "true"
    if asked.terms is not None:
        metadata |= asked.terms.metadata(context.clock())
    try:
        return Session.start(
            agent,
            knowledge_base=context.agents.knowledge_base(agent),
            store=context.store,
            chat_model=context.agents.chat_model(agent.llm),
            variables=asked.variables,
            metadata=metadata,
            client_tool=tools.result,
            secrets=context.secrets,
            overrides=session_overrides(asked, agent),
            resolve_agent=partial(_resolve, context),
            open_model=context.agents.chat_model,
            clock=context.clock,
            new_id=lambda: _bare_id(admission),
        )
    except OverrideError as error:
        raise RefusedError(POLICY, f"override_error: {error}") from error
    except VariableValueError as error:
        raise RefusedError(POLICY, f"invalid_dynamic_variable: {error}") from error
    except MissingVariableError as error:
        raise RefusedError(POLICY, f"missing_dynamic_variable: {error}") from error
    except (ConversationError, KnowledgeBaseError) as error:
        raise _misconfigured(agent.agent_id, error) from error
    except Exception as error:
        _log.error(
            "a session of agent %s failed to start: %s", agent.agent_id, type(error).__name__
        )
        raise RefusedError(INTERNAL, "The server failed; see its log.") from error


def _resolve(context: ServerContext, agent_id: str) -> ResolvedAgent:
    """An agent that a conversation is handed over to; who talks to the first may talk to it."""
    agent = context.agents.agent(agent_id)
    model = context.agents.chat_model(agent.llm)
    return ResolvedAgent(agent, context.agents.knowledge_base(agent), model)


def _bare_id(admission: Admission) -> str:
    """The id that a single-use signature fixed, or a new one."""
    fixed = admission.conversation_id
    return uuid.uuid4().hex if fixed is None else fixed.removeprefix("conv_")


def _misconfigured(agent_id: str, error: Exception) -> RefusedError:
    """The operator reads why in the log; the client does not, as it may name hosts and files."""
    _log.error("agent %r cannot be used: %s", agent_id, error)
    return RefusedError(MISCONFIGURED, _MISCONFIGURED)
