"""What the routes share: agents, stores, limits. One for each server."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import BoundedSemaphore
from typing import Annotated, Protocol, cast, runtime_checkable

from fastapi import Depends
from starlette.requests import HTTPConnection

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.grounding.passages import PassageSource
from conversation.llm.chat_model import ChatModel
from conversation.server.agents.authoring import Authoring
from conversation.server.ended.after_conversations import AfterCalls, StoreOnly
from conversation.server.errors import not_supported
from conversation.server.keys.key_store import AccessStore
from conversation.server.keys.stored_secrets import KeptSecrets
from conversation.server.library.held_files import HeldFiles
from conversation.server.limits import Gate, Rates, ServerLimits
from conversation.server.records import RecordStore
from conversation.server.socket.resuming import Resumptions
from conversation.store.store import ConversationStore
from conversation.voice.ports import CallModels
from conversation.voice.recording.kept_calls import KeptCalls


class ServedAgents(Protocol):
    """The agents of this deployment, and what they need. Methods are called from threads."""

    def agent(self, agent_id: str) -> AgentConfig:
        """As it stands now. Raises `NoSuchAgentError` or `AgentConfigError`."""
        ...

    def agents(self) -> Sequence[AgentConfig]:
        """All that can be used."""
        ...

    def knowledge_base(self, agent: AgentConfig) -> PassageSource | None:
        """What it answers from, opened once and shared."""
        ...

    def chat_model(self, llm: LLMConfig) -> ChatModel:
        """A language model with its fallbacks, opened once and shared."""
        ...


@runtime_checkable
class WarmingAgents(Protocol):
    """Agents whose first conversation would wait for what they load."""

    def warm_up(self) -> None:
        """Load it; what cannot be loaded is told with the first turn that needs it."""
        ...


class CallVoices(Protocol):
    """Ears and voices of this deployment. Methods are called from threads."""

    def can_speak_for(self, agent: AgentConfig) -> bool:
        """Whether calls of this agent can be held now, as far as that is known at once."""
        ...

    def models(self, agent: AgentConfig) -> CallModels:
        """What hears and speaks in its calls; loaded once, and shared by all calls.

        Raises:
            SpeechError: A model cannot be used; says what to do.
        """
        ...


class Stoppable(Protocol):
    """A conversation that is under way."""

    def stop(self) -> None:
        """Finish the turn, then close."""
        ...


@dataclass
class ServerContext:
    """One server's parts."""

    agents: ServedAgents
    store: ConversationStore
    limits: ServerLimits = field(default_factory=ServerLimits)
    public_url: str | None = None
    """Where clients reach the server, when that is not where they say they do, e.g. behind a
    proxy that changes the path."""
    secrets: Mapping[str, str] = field(default_factory=dict[str, str])
    """For headers of webhook tools, by name."""
    webhook_networks: tuple[str, ...] = ()
    """Private address ranges that webhooks of the workspace may be in."""
    sdk_script: Path | None = None
    """The published JavaScript SDK as one script, which the page uses in place of its own client
    when the file is there."""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    timer_s: Callable[[], float] = time.monotonic
    stopping: bool = False
    warming: bool = False
    """Whether models and libraries are still being loaded for the first conversation."""
    """Set when the server stops: turns finish, nothing new begins."""
    hang_up: Callable[[HTTPConnection], object] = lambda _connection: None
    """Drops a connection whose client takes nothing; set by the server that runs."""
    stored_secrets: KeptSecrets | None = None
    """Where secrets that come over the API are kept; None takes none, and has no webhooks."""
    voices: CallVoices | None = None
    """Hears and speaks; None holds conversations by text alone."""
    recordings: KeptCalls | None = None
    """The sound of calls; None records none."""
    after_calls: AfterCalls | None = None
    """Masks, judges and deletes what was said; None shows conversations as they were said."""
    authoring: Authoring | None = None
    """Makes and changes agents and documents; None where they are fixed."""
    test_runs: threading.Lock = field(default_factory=threading.Lock)
    """Held by the tests of agents that run: one after the other."""
    talks: set["Stoppable"] = field(default_factory=set["Stoppable"])
    """Conversations at this moment."""

    @cached_property
    def resumptions(self) -> Resumptions:
        """Conversations whose client may come back."""
        return Resumptions(self.limits.keep_lost_s)

    @cached_property
    def calls(self) -> AfterCalls:
        """Ended conversations, as they may be read."""
        return self.after_calls or StoreOnly(self.store, self.recordings)

    def has_voice_for(self, agent: AgentConfig) -> bool:
        """Whether users can talk to this agent here."""
        voices = self.voices
        return agent.voice is not None and voices is not None and voices.can_speak_for(agent)

    @cached_property
    def records(self) -> RecordStore:
        """Settings, webhooks and agent tests."""
        return RecordStore(self.store.engine)

    @cached_property
    def access(self) -> AccessStore:
        """Keys and signatures."""
        return AccessStore(self.store.engine)

    @cached_property
    def secret(self) -> bytes:
        """What signed URLs are signed with."""
        return self.access.signing_secret(now=self.clock())

    @cached_property
    def gate(self) -> Gate:
        """Running conversations."""
        return Gate(self.limits)

    @cached_property
    def files(self) -> HeldFiles:
        """Files that users handed in and have not said yet."""
        return HeldFiles(self.store.engine, self.clock)

    @cached_property
    def simulations(self) -> BoundedSemaphore:
        """Places of simulated conversations, each of which holds a thread for minutes."""
        return BoundedSemaphore(self.limits.simulations)

    @cached_property
    def starts(self) -> Rates:
        """New conversations of each address."""
        return Rates(per_minute=self.limits.starts_per_minute)

    @cached_property
    def requests(self) -> Rates:
        """HTTP requests of each address and key."""
        return Rates(per_minute=self.limits.requests_per_minute)


def server_context(connection: HTTPConnection) -> ServerContext:
    """The context of the server that got this request."""
    return cast(ServerContext, connection.app.state.context)


Context = Annotated[ServerContext, Depends(server_context)]
"""Write `context: Context` in a route's parameters."""


def secrets_of(context: ServerContext) -> KeptSecrets:
    """Where secrets are kept; raises `ApiError` where none are."""
    if context.stored_secrets is None:
        raise not_supported("This server was started without a place for secrets.")
    return context.stored_secrets


def authoring_of(connection: HTTPConnection) -> Authoring:
    """What makes agents and documents on the server that got this request."""
    found = server_context(connection).authoring
    if found is None:
        raise not_supported("The agents of this server cannot be changed.")
    return found


Authored = Annotated[Authoring, Depends(authoring_of)]
"""Write `authored: Authored` in a route's parameters."""


def address_of(connection: HTTPConnection) -> str:
    """Where the request came from; uvicorn has looked through trusted proxies."""
    return connection.client.host if connection.client is not None else "unknown"
