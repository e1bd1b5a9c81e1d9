"""A real server on a free port, with scripted agents, and a client that sees every frame."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.errors import AgentConfigError
from conversation.grounding.passages import PassageSource
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    ChatModel,
    Completion,
    CompletionOptions,
)
from conversation.server.app import make_app
from conversation.server.context import ServerContext
from conversation.server.errors import NoSuchAgentError
from conversation.server.keys.api_keys import Scope, new_key
from conversation.server.keys.key_store import AccessStore
from conversation.server.keys.stored_secrets import StoredSecrets
from conversation.server.limits import ServerLimits
from conversation.server.serving import make_server
from conversation.store.store import ConversationStore
from tests.fakes import ScriptedChatModel
from tests.hurried_server import run_hurried

PUBLIC = {"public": True}
SUPPORT = AgentConfig.model_validate(
    {
        "agent_id": "support",
        "name": "Support",
        "first_message": "Hello!",
        "system_prompt": "You help.",
        "access": PUBLIC,
    }
)
PRIVATE = SUPPORT.model_copy(
    update={"agent_id": "private", "access": type(SUPPORT.access)(), "name": "Private"}
)
INIT = {"type": "conversation_initiation_client_data"}
PATIENCE_S = 60
"""How long a test waits for what must come: a busy machine is no failure."""


@dataclass
class ScriptedAgents:
    """Agents in memory, all with one model."""

    found: Sequence[AgentConfig]
    model: ChatModel
    broken: Sequence[str] = ()
    """Ids of files that cannot be used."""

    def agent(self, agent_id: str) -> AgentConfig:
        if agent_id in self.broken:
            raise AgentConfigError(f"The agent file of {agent_id!r} has 1 problem.")
        for agent in self.found:
            if agent.agent_id == agent_id:
                return agent
        raise NoSuchAgentError(f"There is no agent {agent_id!r}.")

    def agents(self) -> Sequence[AgentConfig]:
        return self.found

    def knowledge_base(self, agent: AgentConfig) -> PassageSource | None:
        return None

    def chat_model(self, llm: LLMConfig) -> ChatModel:
        return self.model


@dataclass
class Served:
    """A running server."""

    context: ServerContext
    port: int
    clock: "Clock"
    stop: Callable[[], object] = lambda: None
    """As on Ctrl-C; returns at once."""
    open_sockets: Callable[[], int] = lambda: 0
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=PATIENCE_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> ConversationStore:
        return self.context.store

    def key(self, *scopes: Scope, expires_at: datetime | None = None) -> str:
        """A new key with these scopes."""
        key, record = new_key("test", scopes, now=self.clock(), expires_at=expires_at)
        AccessStore(self.store.engine).add_key(record)
        return key

    def signed_url(self, agent_id: str, **query: Any) -> str:
        answer = self.http.get(
            "/v1/convai/conversation/get-signed-url",
            params={"agent_id": agent_id, **query},
            headers={"xi-api-key": self.key("converse")},
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["signed_url"]

    @contextmanager
    def dial(
        self,
        agent_id: str = "support",
        *,
        url: str | None = None,
        init: dict[str, Any] | None = INIT,
        subprotocols: Sequence[str] = ("convai",),
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Generator["Client"]:
        """Connect as the JavaScript clients do, and send the first frame."""
        address = url or f"ws://127.0.0.1:{self.port}/v1/convai/conversation"
        if url is None:
            pairs = {"agent_id": agent_id, **query}
            address += "?" + "&".join(f"{name}={value}" for name, value in pairs.items())
        with connect(
            address,
            subprotocols=list(subprotocols) or None,  # pyright: ignore[reportArgumentType]
            additional_headers=headers,
            proxy=None,
            compression=None,
            open_timeout=PATIENCE_S,
            ping_interval=None,
        ) as socket:
            client = Client(socket)
            if init is not None:
                # A server that refuses the client may have closed already.
                with suppress(ConnectionClosed):
                    client.send(init)
            yield client


@dataclass
class Client:
    """One side of a conversation, which keeps every frame that it got."""

    socket: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def send(self, frame: dict[str, Any] | str | bytes) -> None:
        self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    def say(self, text: str) -> None:
        self.send({"type": "user_message", "text": text})

    def next(self, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        frame = json.loads(self.socket.recv(timeout=timeout_s))
        assert isinstance(frame, dict)
        assert isinstance(frame["type"], str)
        self.frames.append(frame)
        if frame["type"] == "ping":
            self.send({"type": "pong", "event_id": frame["ping_event"]["event_id"]})
        return frame

    def until(self, kind: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next frame of this type."""
        while (frame := self.next(timeout_s))["type"] != kind:
            pass
        return frame

    def answer(self) -> str:
        """The agent's next whole turn."""
        return self.until("agent_response")["agent_response_event"]["agent_response"]

    def opened(self) -> str:
        """The conversation's id, once its first frame and its first message came."""
        metadata = self.until("conversation_initiation_metadata")
        assert self.answer() == "Hello!"
        return metadata["conversation_initiation_metadata_event"]["conversation_id"]

    def closed(self, timeout_s: float = PATIENCE_S) -> tuple[int, str]:
        """Code and reason of the close frame; what comes before it is kept."""
        try:
            while True:
                self.next(timeout_s)
        except ConnectionClosed as error:
            frame = error.rcvd
            return (1006, "") if frame is None else (frame.code, frame.reason)

    def kinds(self) -> list[str]:
        """Types of the frames so far, without pings, which come when they like."""
        return [frame["type"] for frame in self.frames if frame["type"] != "ping"]


class PausingChatModel(ScriptedChatModel):
    """Says two words of each answer and then waits until the test lets it go on."""

    def __init__(self, answer: str, *, pauses_again: bool = False) -> None:
        super().__init__(always=answer)
        self.go_on = threading.Event()
        self._pauses_again = pauses_again

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        count = 0
        async for piece in super().astream(messages, options):
            while count == 2 and not self.go_on.is_set():
                await asyncio.sleep(0.005)
            count += 1
            if self._pauses_again and isinstance(piece, Completion):
                self.go_on.clear()
            yield piece


class Clock:
    """The wall clock, which a test can put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Timer:
    """The timer of a server, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def serving(
    store: Path,
    *agents: AgentConfig,
    model: ChatModel | None = None,
    limits: ServerLimits | None = None,
    timer_s: Callable[[], float] = time.monotonic,
) -> Generator[Served]:
    """A server in a thread; it stops as on Ctrl-C.

    Without `limits` it waits long for the first frame, which every client here sends, and not for
    the first sound, which some send late.
    """
    clock = Clock()
    with ConversationStore.open(f"sqlite:///{store / 'store.sqlite'}") as opened:
        context = ServerContext(
            agents=ScriptedAgents(agents or (SUPPORT, PRIVATE), model or ScriptedChatModel()),
            store=opened,
            limits=limits or ServerLimits(init_timeout_s=PATIENCE_S, first_sound_timeout_s=0),
            clock=clock,
            timer_s=timer_s,
            stored_secrets=StoredSecrets(store / "secrets.json"),
            webhook_networks=("127.0.0.0/8",),
        )
        server = make_server(make_app(context), context, host="127.0.0.1", port=0)
        thread = threading.Thread(target=run_hurried, args=(server,))
        thread.start()
        try:
            wait_until(lambda: server.started)
            served = Served(
                context,
                server.port,
                clock,
                stop=lambda: setattr(server, "should_exit", True),
                open_sockets=lambda: len(server.server_state.connections),
            )
            with served.http:
                yield served
        finally:
            server.should_exit = True
            thread.join(timeout=PATIENCE_S)
    assert not thread.is_alive(), "the server does not stop"


def wait_until(is_so: Any, timeout_s: float = PATIENCE_S) -> None:
    """Wait for something that happens on another thread."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "it never happened"
        time.sleep(0.01)
