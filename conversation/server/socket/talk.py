"""One conversation on a socket: reads frames, runs turns, keeps the time, and closes in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from conversation.errors import SessionEndedError, StoreUnavailableError
from conversation.language.set_sentences import PATIENCE, in_words_of
from conversation.server.errors import (
    GOING_AWAY,
    INTERNAL,
    NORMAL,
    POLICY,
    UNAVAILABLE,
    close_reason,
)
from conversation.server.limits import Bucket, ServerLimits
from conversation.server.socket.actions import (
    Action,
    Active,
    HangUp,
    Note,
    Rate,
    Refuse,
    Say,
    SayFiles,
    Stop,
    ToolAnswer,
)
from conversation.server.socket.client_tools import ClientTools
from conversation.server.socket.frame_meaning import (
    NO_EXTRAS,
    Dialogue,
    Extras,
    TurnFrames,
)
from conversation.server.socket.frames import ServerMessage, error_frame, read_frame
from conversation.server.socket.initiation import OPTIONAL_EVENTS
from conversation.session.driver import SessionDriver
from conversation.turn.events import AgentTurn, SessionEvent, TextDelta, ToolRequest

SOFT_TIMEOUT = "soft_timeout"
"""Kind of the event that keeps what a waiting user read: it is no turn."""
CLOSE_TIMEOUT_S = 5.0
LAST_FRAME_S = 1.0
_LEFT = frozenset({1000, 1001, 1005})
"""Close codes of a client that left on purpose; any other lost its connection."""
_ENDS = {
    "agent_ended": "The agent ended the conversation.",
    "silence": "The conversation ended because nothing was said for a long time.",
    "max_duration": "The conversation reached its maximum duration.",
}
MOVED = "moved"
_KEPT = frozenset({"connection_lost", MOVED})
TOO_FAST = error_frame("invalid_message", "Too many messages; this one was ignored.")

_log = logging.getLogger(__name__)


class ClientGoneError(Exception):
    """The client closed the socket, or takes nothing from it."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the client is gone ({code})")


class HungUpError(Exception):
    """The client waits for what this conversation does not have."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class MovedError(Exception):
    """The conversation goes on over another socket."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a conversation is closed."""

    reason: str
    """Kept with the conversation."""
    code: int | None
    """None when the client has closed already."""
    text: str = ""


class Wire:
    """Frames to and from one client, one at a time."""

    def __init__(self, socket: WebSocket, limits: ServerLimits) -> None:
        self._socket = socket
        self._limits = limits
        self._sending = asyncio.Lock()
        self.only: frozenset[str] | None = None
        """Events that the client asked for, of those that it may do without; None for all."""
        self.is_stuck = False
        """Whether the client stopped taking what is sent: an orderly close would wait for it."""

    async def send(self, frame: ServerMessage) -> None:
        """Send a frame that is asked for; raises `ClientGoneError` when nobody takes it."""
        if self.only is not None and frame.type in OPTIONAL_EVENTS - self.only:
            return
        async with self._sending:
            try:
                async with asyncio.timeout(self._limits.send_timeout_s):
                    await self._socket.send_text(frame.model_dump_json())
            except (TimeoutError, RuntimeError, WebSocketDisconnect) as error:
                self.is_stuck = isinstance(error, TimeoutError)
                raise ClientGoneError(getattr(error, "code", 1006)) from error

    async def receive(self) -> str | bytes | None:
        """The next frame; raises `ClientGoneError` when there will be none."""
        try:
            message = await self._socket.receive()
        except RuntimeError as error:  # it was closed from here
            raise ClientGoneError(1006) from error
        if message["type"] == "websocket.disconnect":
            # uvicorn calls a lost connection 1005 as well; only a close frame brings a reason.
            raise ClientGoneError(message["code"] if "reason" in message else 1006)
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        return data if text is None else text

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, without waiting for a client that does not answer."""
        if self._socket.client_state is not WebSocketState.CONNECTED:
            return
        with suppress(RuntimeError, TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close(code, close_reason(reason))


class Talk:
    """A conversation from the first frame after the metadata to the end."""

    def __init__(
        self,
        wire: Wire,
        driver: SessionDriver,
        *,
        dialogue: Dialogue,
        tools: ClientTools,
        limits: ServerLimits,
        timer_s: Callable[[], float],
        keep_feedback: Callable[[Rate], object],
        with_files: Callable[[SayFiles], Action],
        extras: Extras = NO_EXTRAS,
    ) -> None:
        self._wire = wire
        self._driver = driver
        self._session = driver.session
        self._dialogue = dialogue
        self._tools = tools
        self._limits = limits
        self._timer_s = timer_s
        self._keep_feedback = keep_feedback
        self._with_files = with_files
        self._extras = extras
        self._said: asyncio.Queue[Say | None] = asyncio.Queue()
        self._turn = asyncio.Lock()
        """Held while the frames of one turn go out."""
        self._switching = asyncio.Lock()
        """Held while a turn is interrupted: the next one must not begin, or it would be hit."""
        self._speaking = False
        self._stopping = False
        self._moving = asyncio.Event()
        self.is_kept = False
        """Whether the session is still open after `hold`."""
        self._frames = Bucket(limits.frames_per_second, 3.0 * limits.frames_per_second)
        self._warnings = Bucket(1.0, 1.0)
        self._turns = Bucket(limits.turns_per_minute / 60, limits.turns_per_minute / 6)

    def let_go(self) -> None:
        """Leave the socket, but not the conversation: it goes on over another one."""
        self._moving.set()

    def stop(self) -> None:
        """Finish the turn that is under way, then close: the server stops."""
        self._stopping = True
        self._said.put_nowait(None)

    async def hold(
        self, early: Sequence[str | bytes | None], *, may_come_back: bool = False
    ) -> Ending:
        """Talk until one side ends it; the session is closed when this returns, or `is_kept`.

        Args:
            early: Frames that came before the conversation began.
            may_come_back: Whether a client that lost its network may go on.
        """
        work = [
            asyncio.create_task(step)
            for step in (
                *(self._listen(early), self._speak(), self._keep_time(), self._ping()),
                self._move(),
            )
        ]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            await self._finish_frames()
            ending = self._ending(await _errors(work))
            self.is_kept = may_come_back and ending.reason in _KEPT and not self._session.is_over
            if self.is_kept:
                await self._leave()
            else:
                await self._close(ending.reason)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        if ending.code is not None and self._over_for("max_duration"):
            with suppress(ClientGoneError):
                text = _ENDS["max_duration"]
                await self._wire.send(error_frame("max_duration_exceeded", text, code=1000))
        return ending

    async def _leave(self) -> None:
        """The conversation goes on without this socket."""

    async def _close(self, reason: str) -> None:
        await asyncio.to_thread(self._driver.end, reason)

    async def _move(self) -> None:
        await self._moving.wait()
        raise MovedError

    async def _listen(self, early: Sequence[str | bytes | None]) -> None:
        for frame in early:
            await self._take(frame)
        while True:
            await self._take(await self._wire.receive())

    async def _take(self, frame: str | bytes | None) -> None:
        now_s = self._timer_s()
        if self._frames.take(now_s):
            await self._do(self._dialogue.receive(read_frame(frame), now_s=now_s))
        elif self._warnings.take(now_s):
            # Once a second: who sends too much is not sent as much.
            await self._wire.send(TOO_FAST)

    async def _do(self, action: Action) -> None:
        match action:
            case Say():
                await self._hear(action)
            case SayFiles():
                await self._do(await asyncio.to_thread(self._with_files, action))
            case Note():
                await self._note(action)
            case ToolAnswer():
                self._tools.take(action)
            case Rate():
                await asyncio.to_thread(self._keep_feedback, action)
            case Refuse(frame=frame):
                await self._wire.send(frame)
            case HangUp(frame=frame):
                await self._wire.send(frame)
                raise HungUpError(frame.error_event.reason)
            case Active():
                self._driver.user_active()
            case Stop():
                await self._interrupt()
            case _:
                return

    async def _hear(self, said: Say) -> None:
        """The user took a turn; one that the agent is still at is interrupted."""
        allowed = self._turns.take(self._timer_s())
        if not allowed or self._said.qsize() >= self._limits.waiting_turns:
            await self._wire.send(TOO_FAST)
            return
        self._said.put_nowait(said)
        await self._interrupt()

    async def _interrupt(self) -> None:
        if self._speaking and not self._switching.locked():
            async with self._switching:
                await asyncio.to_thread(self._session.interrupt)

    async def _note(self, note: Note) -> None:
        self._driver.user_active()
        with suppress(SessionEndedError):
            await asyncio.to_thread(self._session.note, note.text, key=note.context_id)

    async def _speak(self) -> None:
        while not (self._session.is_over or self._stopping):
            said = await self._said.get()
            if said is None:
                return
            async with self._switching:
                self._speaking = True
            try:
                async with self._turn:
                    await self._take_turn(said)
            finally:
                self._speaking = False

    async def _take_turn(self, said: Say) -> None:
        patience = self._patience()
        frames = TurnFrames(self._dialogue.next_event_id(), self._extras)
        try:
            with suppress(SessionEndedError):
                async for event in self._driver.areply(said.text, files=said.files):
                    if patience is not None and isinstance(event, TextDelta | AgentTurn):
                        patience.cancel()
                    await self._report(event, frames)
        finally:
            if patience is not None:
                patience.cancel()
            self._tools.forget()

    def _patience(self) -> asyncio.Task[None] | None:
        """Tells a user who waits for the first word that there will be one; None: nobody does."""
        taking = self._session.agent.turn_taking
        if taking.soft_timeout_s is None:
            return None
        words = taking.soft_timeout_message or in_words_of(self._session.agent.language, PATIENCE)
        frame = self._dialogue.announced(words)
        return asyncio.create_task(self._ask_for_patience(taking.soft_timeout_s, words, frame))

    async def _ask_for_patience(self, after_s: float, words: str, frame: ServerMessage) -> None:
        await asyncio.sleep(after_s)
        with suppress(SessionEndedError, ClientGoneError):
            await self._wire.send(frame)
            noting = asyncio.to_thread(self._session.add_event, SOFT_TIMEOUT, {"text": words})
            # The first word ends this task, and a thread that is still awaited would not begin.
            await asyncio.shield(noting)

    async def _report(self, event: SessionEvent, frames: TurnFrames) -> None:
        if isinstance(event, AgentTurn):
            self._dialogue.remember(frames.event_id, event.turn.turn_id)
        if isinstance(event, ToolRequest) and event.kind == "client":
            self._tools.expect(event.tool_call_id)
        for frame in frames.frames(event):
            await self._wire.send(frame)

    async def _keep_time(self) -> None:
        async for said in self._driver.arun():
            async with self._turn:
                await self._wire.send(self._dialogue.said(said.text, said.turn.turn_id))

    async def _ping(self) -> None:
        while True:
            await self._wire.send(self._dialogue.ping(self._timer_s()))
            await asyncio.sleep(self._limits.ping_every_s)

    async def _finish_frames(self) -> None:
        """Let the frames of a turn that has just ended go out."""
        if self._session.is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S), self._turn:
                    return

    def _ending(self, errors: Sequence[BaseException | None]) -> Ending:
        for error in errors:
            if isinstance(error, MovedError):
                return Ending(MOVED, NORMAL, "The conversation goes on over another connection.")
            if isinstance(error, HungUpError):
                return Ending("no_voice", POLICY, error.reason)
            if isinstance(error, ClientGoneError):
                return Ending("user_ended" if error.code in _LEFT else "connection_lost", None)
            if isinstance(error, StoreUnavailableError):
                _log.error("conversation %s: %s", self._session.conversation_id, error)
                return Ending("failed", INTERNAL, UNAVAILABLE)
            if error is not None:
                # Its message may quote what was said.
                _log.error(
                    "conversation %s: %s", self._session.conversation_id, type(error).__name__
                )
                return Ending("failed", INTERNAL, "The server failed; see its log.")
        if self._session.is_over:
            reason = self._session.transcript.end_reason or "agent_ended"
            return Ending(reason, NORMAL, _ENDS.get(reason, "The conversation is over."))
        return Ending("server_stopped", GOING_AWAY, "The server is stopping; please reconnect.")

    def _over_for(self, reason: str) -> bool:
        return self._session.transcript.end_reason == reason


async def _errors(work: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """How tasks ended, the one that reads first.

    Whoever sends learns that a client is gone, but only its close frame, which comes a moment
    later, tells whether it left on purpose.
    """
    reading, *others = work
    ended = [task.exception() for task in others if task.done()]
    if any(isinstance(error, ClientGoneError) for error in ended):
        await asyncio.wait([reading], timeout=LAST_FRAME_S)
    return [*([reading.exception()] if reading.done() else []), *ended]
