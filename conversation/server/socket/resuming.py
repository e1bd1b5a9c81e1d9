"""Conversations that go on over another socket: after a lost network, or by voice in place of text.

Only a client that gave a key when it began can come back, and only with that key. Used from the
event loop alone.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from conversation.server.errors import POLICY, RefusedError
from conversation.server.socket.client_tools import ClientTools
from conversation.server.socket.frame_meaning import Dialogue
from conversation.session.driver import SessionDriver

MAX_WAITING = 1_000
TAKE_OVER_S = 10.0
OVER = "This conversation cannot be continued: it is over. Please begin a new one."


@dataclass(frozen=True, slots=True)
class OpenTalk:
    """What of a conversation outlives its socket."""

    agent_id: str
    """Of the agent that was dialled."""
    driver: SessionDriver
    dialogue: Dialogue
    tools: ClientTools
    key: str | None
    """Of the client; None for one that never comes back."""

    @property
    def conversation_id(self) -> str:
        """Of the session."""
        return self.driver.session.conversation_id


@dataclass(slots=True)
class _Held:
    """A talk on a socket."""

    let_go: Callable[[], object]
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A talk without a socket."""

    talk: OpenTalk
    timer: asyncio.TimerHandle


class Resumptions:
    """Talks by the id of their conversation: those on a socket, and those that wait for one."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._held: dict[str, tuple[OpenTalk, _Held]] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._endings: set[asyncio.Task[object]] = set()

    def hold(self, talk: OpenTalk, let_go: Callable[[], object]) -> None:
        """The talk is on a socket, which `let_go` leaves."""
        if talk.key is not None:
            self._held[talk.conversation_id] = (talk, _Held(let_go))

    def release(self, talk: OpenTalk, *, keeps: bool) -> None:
        """The talk's socket is gone.

        Args:
            talk: It is over, unless it is kept.
            keeps: Whether its client may come back.
        """
        if keeps and len(self._waiting) < MAX_WAITING:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._keep_s, self._give_up, talk)
            self._waiting[talk.conversation_id] = _Waiting(talk, timer)
        elif keeps:
            self._end(talk)
        _, held = self._held.pop(talk.conversation_id, (None, None))
        if held is not None:
            held.gone.set()

    async def take(self, conversation_id: str, key: str | None, *, agent_id: str) -> OpenTalk:
        """The talk, for a new socket; one that is still on another leaves that.

        Raises:
            RefusedError: There is none, or the key is another one: which of them is not told.
        """
        talk, held = self._held.get(conversation_id, (None, None))
        if talk is not None and held is not None and _opens(talk, key, agent_id):
            held.let_go()
            try:
                await asyncio.wait_for(held.gone.wait(), TAKE_OVER_S)
            except TimeoutError:
                raise RefusedError(POLICY, OVER) from None
        waiting = self._waiting.get(conversation_id)
        if waiting is None or not _opens(waiting.talk, key, agent_id):
            raise RefusedError(POLICY, OVER)
        del self._waiting[conversation_id]
        waiting.timer.cancel()
        return waiting.talk

    async def end_all(self) -> None:
        """The server stops: nobody can come back."""
        for waiting in list(self._waiting.values()):
            waiting.timer.cancel()
            self._give_up(waiting.talk)
        await asyncio.gather(*self._endings, return_exceptions=True)

    def _give_up(self, talk: OpenTalk) -> None:
        self._waiting.pop(talk.conversation_id, None)
        self._end(talk)

    def _end(self, talk: OpenTalk) -> None:
        ending: asyncio.Task[object] = asyncio.ensure_future(
            asyncio.to_thread(talk.driver.end, "connection_lost")
        )
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


def _opens(talk: OpenTalk, key: str | None, agent_id: str) -> bool:
    if talk.key is None or key is None or talk.agent_id != agent_id:
        return False
    return hmac.compare_digest(talk.key, key)
