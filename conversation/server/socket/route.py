"""The conversation WebSocket: lets a client in, starts its session, and tells it why not.

Whatever refuses a client is said by closing the socket after accepting it: browsers lose the
reason of a handshake that fails.
"""

import asyncio
import logging
import uuid
from collections.abc import Iterator, Sequence
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
from conversation.server.socket.actions import (
    Rate,
)
from conversation.server.socket.client_tools import ClientTools
from conversation.server.socket.extra_frames import resumed
from conversation.server.socket.frame_meaning import (
    NO_VOICE,
    VOICE_DOWN,
    Dialogue,
    Extras,
    Sound,
)
from conversation.server.socket.frames import (
    PATH,
    SUBPROTOCOL,
    InitiationData,
    ServerMessage,
    SetupConfig,
    read_frame,
)
from conversation.server.socket.initiation import Wishes, session_overrides, wishes
from conversation.server.socket.resuming import OpenTalk
from conversation.server.socket.talk import ClientGoneError, Ending, Talk, Wire
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.turn.speaker import ResolvedAgent
from kb.errors import KnowledgeBaseError

MAX_EARLY_FRAMES = 256
"""Kept from before the conversation begins: some clients send audio at once."""

router = APIRouter()
_log = logging.getLogger(__name__)


@router.websocket(PATH)
async def conversation(websocket: WebSocket) -> None:
    """Hold one conversation with the agent `agent_id`."""
    context = server_context(websocket)
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    wire = Wire(websocket, context.limits)
    try:
        ending = await _converse(websocket, wire, context, offered)
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
    websocket: WebSocket, wire: Wire, context: ServerContext, offered: Sequence[str]
) -> Ending:
    address = address_of(websocket)
    if context.stopping:
        raise RefusedError(GOING_AWAY, "The server is stopping; please reconnect.")
    if context.starts.wait_s(address, now_s=context.timer_s()) is not None:
        raise RefusedError(POLICY, "Too many new conversations from your address; wait a moment.")
    agent = await asyncio.to_thread(_agent, websocket, context, offered)
    admission = await asyncio.to_thread(
        admit, websocket, agent, context=context, subprotocols=offered
    )
    with context.gate.entered(agent_id=agent.agent_id, address=address, key_id=admission.key_id):
        data, early = await _initiation(wire, context.limits.init_timeout_s)
        asked = wishes(data, websocket.query_params)
        if asked.resume_id is None:
            opened = await _begun(agent, asked, admission, context)
        else:
            opened = await context.resumptions.take(
                asked.resume_id, asked.resume_key, agent_id=agent.agent_id
            )
        extras = Extras(details=asked.details, sources=agent.widget.sources)
        return await _talk(wire, opened, asked=asked, early=early, context=context, extras=extras)


async def _begun(
    agent: AgentConfig, asked: Wishes, admission: Admission, context: ServerContext
) -> OpenTalk:
    """A new conversation."""
    tools = ClientTools()
    start = partial(_start, agent, asked, admission, tools=tools, context=context)
    session = await asyncio.to_thread(start)
    driver = SessionDriver(session, clock=context.timer_s)
    return OpenTalk(agent.agent_id, driver, Dialogue(), tools, asked.resume_key)


def _sound(context: ServerContext, agent: AgentConfig, asked: Wishes) -> Sound:
    """What becomes of the client's microphone, and which formats it is told."""
    if asked.text_only:
        return Sound(refusal=None)
    if agent.voice is None:
        return Sound(refusal=NO_VOICE)
    return Sound(
        input_format=agent.voice.input_format,
        output_format=agent.voice.output_format,
        is_heard=context.has_voice_for(agent),
        refusal=VOICE_DOWN,
    )


async def _talk(
    wire: Wire,
    opened: OpenTalk,
    *,
    asked: Wishes,
    early: Sequence[str | bytes | None],
    context: ServerContext,
    extras: Extras,
) -> Ending:
    dialogue, session = opened.dialogue, opened.driver.session
    talk = Talk(
        wire,
        opened.driver,
        dialogue=dialogue,
        tools=opened.tools,
        limits=context.limits,
        timer_s=context.timer_s,
        keep_feedback=partial(_keep_feedback, context, session.conversation_id),
        extras=extras,
    )
    context.talks.add(talk)
    context.resumptions.hold(opened, talk.let_go)
    began_s = context.timer_s()
    ending = Ending("connection_lost", None)
    try:
        dialogue.go_on(await asyncio.to_thread(_sound, context, session.agent, asked))
        await wire.send(dialogue.opening(session.conversation_id))
        for frame in _openers(opened, is_resumed=asked.resume_id is not None):
            await wire.send(frame)
        ending = await talk.hold(early, may_come_back=opened.key is not None)
        return ending
    finally:
        context.talks.discard(talk)
        keeps = talk.is_kept and not context.stopping
        if not keeps:
            # Ends it also when the client went away before the first frame.
            await asyncio.to_thread(session.end, ending.reason)
        context.resumptions.release(opened, keeps=keeps)
        _log.info(
            "conversation %s of agent %s ended: %s, %d turns, %.1f s",
            session.conversation_id,
            session.agent.agent_id,
            ending.reason,
            len(session.transcript.turns),
            context.timer_s() - began_s,
        )


def _openers(opened: OpenTalk, *, is_resumed: bool) -> Iterator[ServerMessage]:
    """What a client is told at first: the first message, or all that was said before it left."""
    session = opened.driver.session
    if is_resumed:
        yield resumed(session.transcript.turns, opened.dialogue.event_ids())
    elif session.first_message:
        yield opened.dialogue.said(session.first_message, session.transcript.turns[0].turn_id)


async def _initiation(
    wire: Wire, timeout_s: float
) -> tuple[InitiationData | None, list[str | bytes | None]]:
    """The client's first words to the server, and the frames that came before them."""
    early: list[str | bytes | None] = []
    try:
        async with asyncio.timeout(timeout_s):
            while len(early) < MAX_EARLY_FRAMES:
                frame = await wire.receive()
                message = read_frame(frame)
                if isinstance(message, InitiationData):
                    return message, early
                if not isinstance(message, SetupConfig):
                    early.append(frame)
    except TimeoutError:
        # Clients of the first generation send nothing.
        pass
    return None, early


def _agent(websocket: WebSocket, context: ServerContext, offered: Sequence[str]) -> AgentConfig:
    agent_id = websocket.query_params.get("agent_id", "")
    try:
        return context.agents.agent(agent_id)
    except NoSuchAgentError as error:
        raise refuse_missing(websocket, agent_id, context=context, subprotocols=offered) from error
    except ConversationError as error:
        raise _misconfigured(agent_id, error) from error


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
    return RefusedError(
        MISCONFIGURED, "The AI agent you are trying to reach appears to be misconfigured."
    )


def _keep_feedback(context: ServerContext, conversation_id: str, rate: Rate) -> None:
    context.store.add_event(
        conversation_id,
        "feedback",
        at=context.clock(),
        payload={"score": rate.score, "event_id": rate.event_id},
        turn_id=rate.turn_id,
    )
