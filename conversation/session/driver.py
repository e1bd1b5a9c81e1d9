"""A session with a sense of time: it asks whether the user is still there, and knows when to end.

    driver = SessionDriver(session)
    async for said in driver.arun(): ...          # what the agent says by itself, until the end
    async for event in driver.areply(text): ...   # meanwhile, in place of `session.areply`
    driver.user_active()                          # the user types, or moves

`arun` is for servers. A program without an event loop waits `seconds_until_due` on its own and
then calls `act`.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import suppress

from conversation.errors import SessionEndedError
from conversation.session.session import Session
from conversation.transcript import Transcript, TurnFile, TurnSound
from conversation.turn.events import AgentTurn, SessionEvent
from conversation.turn_taking.silence import (
    Action,
    EndConversation,
    Reengage,
    TurnTaking,
    TurnTakingConfig,
)

Wait = Callable[[asyncio.Event, float | None], Awaitable[None]]
"""Returns when the event is set or so many seconds have passed; None waits for the event alone."""


async def wait_for_event(event: asyncio.Event, seconds: float | None) -> None:
    """Wait on the event loop's own clock."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class SessionDriver:
    """Keeps the time of one session. Safe to tell from any thread what happened."""

    def __init__(
        self,
        session: Session,
        config: TurnTakingConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = wait_for_event,
    ) -> None:
        """Start counting: the agent's first message is out, and the user may speak.

        Args:
            session: Whose time is kept.
            config: None takes the agent's own `turn_taking`.
            clock: Seconds that only grow.
            wait: How `arun` waits, so that a test decides what time it is.
        """
        self.session = session
        self._clock = clock
        self._wait = wait
        self._lock = threading.RLock()
        self._taking = TurnTaking(config or session.agent.turn_taking).started(clock())
        self._turn_number = 0
        self._wake: Callable[[], object] = lambda: None

    @property
    def seconds_until_due(self) -> float | None:
        """How long nothing has to be done; None when that is so until something happens."""
        with self._lock:
            moment_s = self._taking.next_check_s
            return None if moment_s is None else max(0.0, moment_s - self._clock())

    def user_active(self) -> None:
        """The user types, moves or makes a sound: silence begins anew."""
        with self._lock:
            self._taking = self._taking.user_active(self._clock())
        self._wake()

    def agent_speaking(self) -> None:
        """The agent has the turn, e.g. its voice is still playing: silence does not count."""
        with self._lock:
            self._taking = self._taking.agent_started()
        self._wake()

    def agent_silent(self) -> None:
        """The agent has finished or was interrupted; from now on the user may speak."""
        with self._lock:
            self._taking = self._taking.agent_finished(self._clock())
        self._wake()

    def reply(
        self,
        text: str,
        *,
        sound: TurnSound | None = None,
        amends: bool = False,
        files: Sequence[TurnFile] = (),
    ) -> Generator[SessionEvent]:
        """As `Session.reply`, with the time kept."""
        number = self._user_spoke()
        try:
            events = self.session.reply(text, sound=sound, amends=amends, files=files)
        except BaseException:
            self._agent_spoke(number)
            raise
        return self._followed(events, number)

    async def areply(
        self,
        text: str,
        *,
        sound: TurnSound | None = None,
        amends: bool = False,
        files: Sequence[TurnFile] = (),
        when_heard: Callable[[], object] | None = None,
    ) -> AsyncIterator[SessionEvent]:
        """As `Session.areply`, with the time kept."""
        number = self._user_spoke()
        events = self.session.areply(
            text, sound=sound, amends=amends, files=files, when_heard=when_heard
        )
        try:
            async for event in events:
                yield event
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
            self._agent_spoke(number)

    def act(self) -> AgentTurn | None:
        """Do what is due now; the agent's turn when that made it speak.

        After this, `session.is_over` tells whether the conversation has ended for `silence` or
        `max_duration`.
        """
        with self._lock:
            action, self._taking = self._taking.due(self._clock())
            try:
                return self._do(action)
            except SessionEndedError:  # by another thread, a moment ago
                return None

    def end(self, reason: str = "user_ended") -> Transcript:
        """End the session, and `arun` with it."""
        transcript = self.session.end(reason)
        self._wake()
        return transcript

    async def arun(
        self, before: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncIterator[AgentTurn]:
        """Yield what the agent says by itself, until the conversation is over.

        A session that `ends_when_heard` is left to whoever lets the last words be heard.

        Args:
            before: Awaited before the agent acts, e.g. to stop what its voice still says.
        """
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(changed.set)
        try:
            while not self.session.is_over and self.session.leaving is None:
                changed.clear()
                left_s = self.seconds_until_due
                if left_s is None or left_s > 0:
                    await self._wait(changed, left_s)
                    continue
                if before is not None:
                    await before()
                if (said := await asyncio.to_thread(self.act)) is not None:
                    yield said
        finally:
            self._wake = lambda: None

    def _followed(self, events: Iterator[SessionEvent], number: int) -> Generator[SessionEvent]:
        try:
            yield from events
        finally:
            self._agent_spoke(number)

    def _user_spoke(self) -> int:
        """The user has said something and the agent's turn begins; returns its number."""
        with self._lock:
            self._taking = self._taking.user_active(self._clock()).agent_started()
            self._turn_number += 1
            number = self._turn_number
        self._wake()
        return number

    def _agent_spoke(self, number: int) -> None:
        """The agent's turn is over, unless the user began another one meanwhile."""
        with self._lock:
            if number == self._turn_number:
                self._taking = self._taking.agent_finished(self._clock())
        self._wake()

    def _do(self, action: Action) -> AgentTurn | None:
        if isinstance(action, Reengage):
            return self.session.say(action.message)
        said = None
        if isinstance(action, EndConversation):
            if action.message:
                said = self.session.say(action.message)
            self.session.leave(action.reason)
        return said
